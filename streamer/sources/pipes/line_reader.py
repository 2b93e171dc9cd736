"""Read the lines that a program writes into a pipe, without waiting."""

from __future__ import annotations

import re

from streamer.sources.pipes.pipe import PipeReader

READ_BYTES = 4_096
"""Most bytes of one read, and of a line that are kept."""


class LineReader:
    """Reads whole lines, so that the writer never waits for a reader that looks now and then.

    Parameters
    ----------
    descriptor : int
        The pipe, open for reading.
    """

    def __init__(self, descriptor: int) -> None:
        self._reader = PipeReader(descriptor, 1)
        self._begun = b""

    @property
    def ended(self) -> bool:
        """Whether the writer has closed its end and all was read."""
        return self._reader.ended

    def wait(self, wait_s: float) -> None:
        """Wait until something has come, at most `wait_s` seconds."""
        self._reader.wait(wait_s)

    def read(self) -> list[str]:
        """Return the lines that have come, without their ends; the beginning of a longer one is left out."""
        found: list[str] = []
        while fresh := self._reader.read(READ_BYTES):
            *lines, begun = re.split(rb"[\r\n]+", self._begun + fresh)
            self._begun = begun[-READ_BYTES:]
            found += [line.decode(errors="replace") for line in lines]
        return found
