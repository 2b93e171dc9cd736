"""Read the tag of Xing and LAME in the first frame of an MP3, which says how long the sound is."""

from __future__ import annotations

import re
import struct

LONGEST_PADDING_FRAMES = 2_304
"""Longest padding of an MP3: two frames of layer III."""

HEAD_BYTES = 4_096
"""Number of first bytes among which the tag is."""

LAME_OFFSET = 120
"""Offset of LAME's part of a tag that has all fields, from its mark on (LAME's mp3 info tag, revision 1)."""

MPEG_1 = 3
"""Version in the header of a frame; of others, a frame has half as many samples."""


def mp3_frames(head: bytes) -> int | None:
    """Return the number of frames of sound that the tag of an MP3 announces; None if it does not.

    Parameters
    ----------
    head : bytes
        Beginning of the file, with its first frame.
    """
    tag = re.search(rb"\xff[\xe2-\xff].{2,34}?(Xing|Info)", head[:HEAD_BYTES], re.DOTALL)
    if tag is None:
        return None
    at = tag.start(1)
    flags, frames = struct.unpack(">II", head[at + 4 : at + 12].ljust(8, b"\0"))
    lame = head[at + LAME_OFFSET : at + LAME_OFFSET + 24]
    if flags & 15 != 15 or len(lame) < 24:
        return None
    delay, padding = lame[21] << 4 | lame[22] >> 4, (lame[22] & 15) << 8 | lame[23]
    return int(max(0, frames * mpeg_frame_samples(head[tag.start() + 1]) - delay - padding))


def mpeg_frame_samples(second_byte: int) -> int:
    """Return the number of samples in a frame of layer III, by the second byte of its header."""
    return 1_152 if second_byte >> 3 & 3 == MPEG_1 else 576
