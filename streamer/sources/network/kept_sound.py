"""Tell by the bytes that an HTTP server sends whether it keeps the sound, rather than sending it as it happens."""

from __future__ import annotations

from streamer.sources.network.http_bytes import HttpBytes, http_bytes

HEAD_BYTES = 1 << 16
"""Number of first bytes that are looked at first: a short recording is whole in them, the head of a long one is."""

LOOK_S, LONG_LOOK_S = 0.3, 1.0
"""Longest time for which those bytes, and more of them, are waited for."""

LONGEST_BURST_S = 30.0
"""Sound that a live server has never kept: stations begin with what they sent in the last seconds before."""

LARGEST_BURST_BYTES = 1 << 22
"""Number of bytes that last as long in most encodings."""


def is_kept(found: HttpBytes, url: str, bitrate_kbps: int, look_s: float = LONG_LOOK_S) -> bool:
    """Return whether a server certainly keeps a sound: it sends all of it at once, or more than live servers do.

    Parameters
    ----------
    found : HttpBytes
        The first `HEAD_BYTES` that came within `LOOK_S`.
    url : str
    bitrate_kbps : int
        Bit rate of the sound; 0 if it is unknown.
    look_s : float
        Longest time for which more bytes are waited for, in seconds.
    """
    if found.is_whole or len(found.data) < HEAD_BYTES:
        return found.is_whole
    burst_bytes = int(LONGEST_BURST_S * 125 * bitrate_kbps) or LARGEST_BURST_BYTES
    length = max(HEAD_BYTES, min(LARGEST_BURST_BYTES, burst_bytes))
    more = http_bytes(url, length, look_s)
    return more is not None and (more.is_whole or len(more.data) == length)
