"""From what a user calls a device to the source that opens it."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path, PurePosixPath

from streamer.config import Config, StreamConfig
from streamer.errors import ConfigError
from streamer.sources.source import Source
from streamer.sources.url import split_url

DEMO_PATH = Path(str(files("streamer") / "data" / "demo.ogg"))
"""The bundled recording: music, speech, everyday sounds and silence in turn."""

STDIN_DESCRIPTOR = 0
"""`sys.stdin` may be None or something else."""


def source_for(stream: StreamConfig, config: Config, realtime: bool) -> Source:
    """The source of a stream, not yet opened.

    Parameters
    ----------
    stream : StreamConfig
        Any device but ``auto``.
    config : Config
        Ring and PCM settings.
    realtime : bool
        Whether a file falls due as a microphone's sound does, or is read as fast as possible.

    Returns
    -------
    Source

    Raises
    ------
    ConfigError
        If it is no URL, or a file without ``file:``.
    """
    device = stream.device
    if device == "-":
        from streamer.sources.pcm import PcmSource

        pcm = config.pcm
        return PcmSource(STDIN_DESCRIPTOR, pcm.rate_hz, pcm.channels, pcm.encoding)
    if device.startswith("file:"):
        from streamer.sources.file import FileSource
        from streamer.sources.paced import Paced

        source = FileSource(Path(device.removeprefix("file:")))
        return Paced(source) if realtime else source
    if "://" in device:
        from streamer.sources.ffmpeg import url_source

        return url_source(device)
    if Path(device).is_file():
        raise ConfigError(f"device {device!r} is a file; did you mean file:{device}?")
    from streamer.sources.microphone import MicrophoneSource

    return MicrophoneSource(
        device,
        rate_hz=stream.rate_hz or None,
        channels=stream.channels or None,
        ring_s=config.engine.ring_s,
    )


def name_for(device: str) -> str:
    """A stream's name where none was given: short, without the slash and space that topics are cut at.

    Raises
    ------
    ConfigError
        If it looks like a URL and is none.
    """
    if device == "-":
        return "stdin"
    if device.startswith("file:"):
        name = Path(device.removeprefix("file:")).stem
    elif "://" in device:
        url = split_url(device)  # of its address only the host is said: there may be a password
        name = PurePosixPath(url.path).stem or url.hostname or ""
    else:
        name = device
    return re.sub(r"[^\w.-]+", "-", name).strip("-") or "stream"
