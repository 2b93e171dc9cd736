"""Read several sources in turn, as one stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from streamer.sources.source import Block, Source

Opener = Callable[["tuple[int, int] | None"], Source]
"""Returns a source that is not open yet, with the rate and the number of channels given; None leaves it its own."""


class InTurn(Source):
    """The sound of several sources, one after the other, at the rate and with the channels of the first.

    Parameters
    ----------
    openers : sequence of callable
        Functions without arguments that return the sources, in order; at least one.
    """

    def __init__(self, openers: Sequence[Opener]) -> None:
        self._openers = list(openers)
        self._source = self._openers.pop(0)(None)
        self._begin = 0
        self._position = 0
        self._closed = False

    @property
    def opens_slowly(self) -> bool:
        return True

    def give_up_opening(self) -> None:
        self._source.give_up_opening()

    def open(self) -> None:
        self._source.open()
        self.rate_hz, self.channels = self._source.rate_hz, self._source.channels

    def read(self, max_frames: int) -> Block | None:
        block = self._source.read(max_frames)
        if block is not None:
            block = replace(block, start=self._begin + block.start)
            self._position = block.stop
        elif self._source.ended and self._openers and not self._closed:
            self._source.close()
            self._begin = self._position
            self._source = self._openers.pop(0)((self.rate_hz, self.channels))
            self._source.open()
        return block

    def wait_s(self, turn_s: float) -> float:
        return self._source.wait_s(turn_s)

    def backlog_frames(self) -> int:
        return self._source.backlog_frames()

    def skip(self, frames: int) -> int:  # noqa: ARG002 - files wait
        return 0

    @property
    def ended(self) -> bool:
        return self._closed or (self._source.ended and not self._openers)

    def close(self) -> None:
        self._source.close()
        self._closed = True
