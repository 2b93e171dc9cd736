"""Take one channel of a source: one microphone of an array, or one side of a recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streamer.errors import StreamError
from streamer.sources.source import Block, Source
from streamer.sources.wrappers.wrapper import SourceWrapper


class OneChannel(SourceWrapper):
    """Source that gives one channel of another source.

    Parameters
    ----------
    inner : Source
        A source that is not open yet.
    channel : int
        Number of the channel, from 1.
    """

    def __init__(self, inner: Source, channel: int) -> None:
        super().__init__(inner)
        self._channel = channel

    def open(self) -> None:
        super().open()
        there = self.channels
        if self._channel > there:
            self.close()
            expected = (
                f"a number from 1 to {there}, as many as it has"
                if there > 1
                else "1, since it has one channel"
            )
            raise StreamError(f"the sound has no channel {self._channel}; expected {expected}")
        self.channels = 1

    def read(self, max_frames: int) -> Block | None:
        block = super().read(max_frames)
        if block is None:
            return None
        at = self._channel - 1
        return replace(block, samples=np.ascontiguousarray(block.samples[:, at : at + 1]))
