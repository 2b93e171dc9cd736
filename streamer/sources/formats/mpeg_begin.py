"""Find where MPEG sound begins behind tags and bytes that are no sound."""

from __future__ import annotations

import re

from streamer.sources.formats.id3 import id3_bytes
from streamer.sources.formats.sound_file_kind import (
    HEAD_BYTES,
    LONGEST_FRAME_BYTES,
    follow_one_another,
    sound_file_kind,
)

SEARCHED_BYTES = 1 << 16
"""Most bytes before the first frame that are passed over."""

FRAMES = 8
"""Number of frames in a row that tell MPEG sound from other bytes, wherever they begin."""

FIRST_FRAME_BYTES = SEARCHED_BYTES + FRAMES * LONGEST_FRAME_BYTES
"""Number of first bytes that tell where the first frame is, or that there is none."""

TAG_HEADER_BYTES = 32
"""Number of bytes that tell how long a tag is."""

_HEADER = re.compile(rb"\xff[\xe2-\xe5\xf2-\xf5\xfa-\xfd][\x10-\xef]")
"""Beginning of a frame of layer II or III."""


def tag_bytes(head: bytes) -> int:
    """Return the length of the tag of ID3v2, APEv2 or ID3v1 that begins with `head`, in bytes; 0 if it is none."""
    if head[:8] == b"APETAGEX" and len(head) >= TAG_HEADER_BYTES:
        is_header = int.from_bytes(head[20:24], "little") & 1 << 29
        return TAG_HEADER_BYTES + int.from_bytes(head[12:16], "little") if is_header else TAG_HEADER_BYTES
    return 128 if head[:3] == b"TAG" else id3_bytes(head)


def first_frame(head: bytes) -> int | None:
    """Return where the first of `FRAMES` frames in a row begins; None if there is none.

    Parameters
    ----------
    head : bytes
        First bytes of the sound, without tags before it, `FIRST_FRAME_BYTES` or more if there are so many.
    """
    for match in _HEADER.finditer(head, 0, SEARCHED_BYTES + 3):
        if follow_one_another(head, match.start(), FRAMES):
            return match.start()
    return None


def is_unknown(head: bytes) -> bool:
    """Return whether `head` is the beginning of no other kind of sound file, so that MPEG sound may follow in it."""
    return sound_file_kind(head[:HEAD_BYTES]) in (None, "MP3 or MP2")
