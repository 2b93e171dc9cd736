"""Leave out the padding at the end of an MP3 that comes through a pipe, where ffmpeg cannot see the end coming."""

from __future__ import annotations

import re
import struct
from collections import deque
from dataclasses import replace

from streamer.sources.source import Block, Source
from streamer.sources.wrappers.wrapper import SourceWrapper

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


class TrimmedEnd(SourceWrapper):
    """The sound of a source without what comes behind its announced end, if that is no more than padding.

    Parameters
    ----------
    inner : Source
        The source, which is open.
    announced_frames : int
        Number of frames that the source announces.
    """

    def __init__(self, inner: Source, announced_frames: int) -> None:
        super().__init__(inner)
        self._announced_frames = announced_frames
        self._held: deque[Block] = deque()
        self._goes_on = False

    def read(self, max_frames: int) -> Block | None:
        if self._goes_on and self._held:
            return self._held.popleft()
        block = super().read(max_frames)
        if block is None or self._goes_on or block.stop <= self._announced_frames:
            return block
        inside = max(0, self._announced_frames - block.start)
        self._held.append(replace(block, start=block.start + inside, samples=block.samples[inside:]))
        self._goes_on = block.stop > self._announced_frames + LONGEST_PADDING_FRAMES
        return replace(block, samples=block.samples[:inside]) if inside else None

    @property
    def ended(self) -> bool:
        return super().ended and not (self._goes_on and self._held)
