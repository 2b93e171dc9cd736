"""Recognise MP3 and AAC that begin within a frame, as stations send them to a listener who comes in between.

ffmpeg recognises them by 200 frames of MP3, or 100 of AAC, in reads of 2, 4, 8 KiB and so on. A station of 64 kbit/s
that does not begin with what it sent before takes 16 s for these.
"""

from __future__ import annotations

from streamer.sources.formats.sound_file_kind import FFMPEG_FORMATS, HEAD_BYTES, sound_file_kind
from streamer.sources.network.http_bytes import http_bytes

LOOK_AFTER_S = 1.5
"""Time that ffmpeg is given to recognise a stream."""


def format_of_frames(url: str) -> str:
    """Return ffmpeg's name of what an HTTP server sends if it is MP3 or AAC without a container; empty if it is not.

    It is asked for a few bytes, which come within a second or two of real time.
    """
    found = http_bytes(url, HEAD_BYTES)
    return FFMPEG_FORMATS.get(sound_file_kind(found.data) or "", "") if found else ""
