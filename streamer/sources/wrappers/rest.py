"""Read the sound of a source from a frame on."""

from __future__ import annotations

from dataclasses import replace

from streamer.sources.source import Block, Source
from streamer.sources.wrappers.wrapper import SourceWrapper


class Rest(SourceWrapper):
    """The sound of a source from a frame on, with the indices that it has there.

    Parameters
    ----------
    inner : Source
    begin : int
        Index of the first frame.
    """

    def __init__(self, inner: Source, begin: int) -> None:
        super().__init__(inner)
        self._begin = begin

    def read(self, max_frames: int) -> Block | None:
        block = super().read(max_frames)
        if block is None or block.stop <= self._begin:
            return None
        passed = max(0, self._begin - block.start)
        return replace(block, start=block.start + passed, samples=block.samples[passed:])
