"""Read several sources in turn, as one stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from streamer.errors import StreamerError
from streamer.sources.source import Block, Source

Shape = tuple[int, int] | None
"""Rate in Hz and number of channels to which a source converts its sound; None leaves it its own."""

Opener = Callable[[Shape], Source]
"""Returns a source that is not open yet, of the shape given."""


class InTurn(Source):
    """The sound of several sources, one after the other, at the rate and with the channels of the first.

    All but the first are opened on a thread, since that may take a while.

    Parameters
    ----------
    openers : iterable of callable
        Functions that return the sources, in order; at least one. The next is asked for when a source has ended.
    """

    def __init__(self, openers: Iterable[Opener]) -> None:
        self._openers = iter(openers)
        self._source = next(self._openers)(None)
        self._opening: _Opening | None = None
        self._begin = 0
        self._position = 0
        self._ended = False

    @property
    def opens_slowly(self) -> bool:
        return True

    def give_up_opening(self) -> None:
        self._source.give_up_opening()

    def open(self) -> None:
        self._source.open()
        self.rate_hz, self.channels = self._source.rate_hz, self._source.channels

    def read(self, max_frames: int) -> Block | None:
        if self._ended or self._is_opening():
            return None
        block = self._source.read(max_frames)
        if block is not None:
            block = replace(block, start=self._begin + block.start)
            self._position = block.stop
        elif self._source.ended:
            self._go_on()
        return block

    def _go_on(self) -> None:
        """Begin to open the next source; end if there is none."""
        self._source.close()
        opener = next(self._openers, None)
        if opener is None:
            self._ended = True
            return
        self._begin = self._position
        self._source = opener((self.rate_hz, self.channels))
        self._opening = _Opening(self._source)
        self._opening.start()

    def _is_opening(self) -> bool:
        """Return whether the present source is not open yet; raise the error if it cannot be opened."""
        if self._opening is None:
            return False
        if self._opening.is_alive():
            return True
        opening, self._opening = self._opening, None
        if opening.error is not None:
            raise opening.error
        return False

    def wait_s(self, turn_s: float) -> float:
        return super().wait_s(turn_s) if self._opening else self._source.wait_s(turn_s)

    def backlog_frames(self) -> int:
        return 0 if self._opening else self._source.backlog_frames()

    def skip(self, frames: int) -> int:  # noqa: ARG002 - files wait
        return 0

    @property
    def ended(self) -> bool:
        return self._ended

    def close(self) -> None:
        if self._opening is not None:
            self._source.give_up_opening()
            self._opening.join()
        self._source.close()
        self._ended = True


class _Opening(threading.Thread):
    """Opens a source; `error` says why it could not.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        super().__init__(name="open", daemon=True)
        self._source = source
        self.error: StreamerError | None = None

    def run(self) -> None:
        try:
            self._source.open()
        except StreamerError as error:
            self.error = error
