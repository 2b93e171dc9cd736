"""The protocols by which URLs are read, and ffmpeg's options for them."""

from __future__ import annotations

from streamer.errors import ConfigError
from streamer.sources.url_address import split_url, without_secrets

URL_SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "tcp", "udp")
"""Accepted schemes; others (``concat:``, ``file:``, ``lavfi:``) would let a URL read files of this machine."""

URL_PROTOCOLS = (*URL_SCHEMES, "tls", "srtp", "crypto", "data", "httpproxy")
"""Protocols that the content of a URL, such as a playlist, may refer to: the network, but no file of this machine."""

CAMERA_OPTIONS = ("-rtsp_flags", "prefer_tcp", "-allowed_media_types", "audio")
"""ffmpeg's options for RTSP: nothing is lost that need not be, and no picture is sent. Of a camera without sound,
ffmpeg then says so at once."""


def input_arguments(url: str) -> list[str]:
    """Return ffmpeg's arguments that make a URL its input; the last is the address.

    Raises
    ------
    ConfigError
        If the scheme is not in `URL_SCHEMES`, or the URL cannot be parsed.
    """
    scheme, shown = split_url(url).scheme, without_secrets(url)
    if scheme not in URL_SCHEMES:
        raise ConfigError(f"URL '{shown}' has scheme '{scheme}'; expected one of {', '.join(URL_SCHEMES)}")
    address = scheme + url[len(scheme) :]  # ffmpeg knows the scheme in small letters alone
    of_cameras = CAMERA_OPTIONS if scheme in ("rtsp", "rtsps") else ()
    return ["-protocol_whitelist", ",".join(URL_PROTOCOLS), *of_cameras, "-i", address]
