"""Give a recording in real time, like a live device."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil, floor

from streamer.sources.source import Block, Source
from streamer.sources.wrappers.wrapper import SourceWrapper

BLOCKS_PER_S = 100
"""Number of blocks that fall due each second; their lengths differ if the rate is not a multiple of it."""

ROUNDING = 1e-6
"""Rounding error of seconds in binary, in blocks."""


class Paced(SourceWrapper):
    """Source that gives each block of another source at the time at which a device would have captured it.

    The first frame counts as captured at the first `read`. A reader that falls behind has a backlog and may
    skip it, as with a microphone. A source that is live sets its own pace, and is passed on as it is.

    Parameters
    ----------
    inner : Source
        A source that gives its frames as fast as they are read.
    clock : callable
        Returns seconds; `time.monotonic` except in tests.
    """

    def __init__(self, inner: Source, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(inner)
        self._clock = clock
        self._begun_at: float | None = None
        self._position = 0

    def read(self, max_frames: int) -> Block | None:
        if self.is_live:
            self.timed_by = self._inner.timed_by
            return self._read_live(max_frames)
        self.timed_by = "playback"
        if self._begun_at is None:
            self._begun_at = self._clock()
        due = min(max_frames, self._due_frames(self._begun_at))
        block = self._inner.read(due) if due > 0 else None
        if block is None:
            return None
        self._position = block.stop
        captured_at = self._begun_at + self._position / self.rate_hz
        return Block(block.start, block.samples, captured_at, block.sent_at)

    def _read_live(self, max_frames: int) -> Block | None:
        """Read what has come; should the source turn out to be a recording, it goes on from here."""
        block = self._inner.read(max_frames)
        self._position = block.stop if block else self._position
        self._begun_at = self._clock() - self._position / self.rate_hz
        return block

    def open(self) -> None:
        super().open()
        self._begun_at, self._position = None, 0

    def backlog_frames(self) -> int:
        if self.is_live:
            return self._inner.backlog_frames()
        if self._begun_at is None or self.ended:
            return 0
        return self._due_frames(self._begun_at)

    def _due_frames(self, begun_at: float) -> int:
        """Return how many frames a device would have captured by now that were not read."""
        blocks = floor((self._clock() - begun_at) * BLOCKS_PER_S)
        return blocks * self.rate_hz // BLOCKS_PER_S - self._position

    def wait_s(self, turn_s: float) -> float:
        if self.is_live:
            return self._inner.wait_s(turn_s)
        if self._begun_at is None:
            return 0.0
        blocks = ceil((self._position / self.rate_hz + turn_s) * BLOCKS_PER_S - ROUNDING)
        return max(0.0, self._begun_at + blocks / BLOCKS_PER_S - self._clock())

    def skip(self, frames: int) -> int:
        if self.is_live:
            return self._inner.skip(frames)
        begun = self._position
        stop = begun + min(frames, self.backlog_frames())
        while self._position < stop and (block := self._inner.read(stop - self._position)):
            self._position = block.stop
        return self._position - begun
