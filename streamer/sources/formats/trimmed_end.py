"""Leave out the padding at the end of an MP3 that comes as bytes, where ffmpeg cannot see the end coming."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from streamer.sources.formats.mp3_tag import LONGEST_PADDING_FRAMES
from streamer.sources.source import Block, Source
from streamer.sources.wrappers.wrapper import SourceWrapper


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
