"""Plain lines of text: decisions, and what happens to the streams."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TextIO

from streamer.events import Decision, Event, Status
from streamer.sinks.line_writer import LiveLineWriter
from streamer.sinks.sink import Sink
from streamer.sinks.text import line


class Lines(Sink):
    """Writes a line for each decision and each status that says something new.

    Live sound cannot wait: while the reader is full, lines are dropped.

    Parameters
    ----------
    stream : TextIO
        Where to, with a file descriptor; not closed.
    title : callable
        Gives the first line: where it is published.
    """

    def __init__(self, stream: TextIO, title: Callable[[], str]) -> None:
        self._stream, self._title = stream, title
        self._writer = LiveLineWriter(stream)

    @property
    def dropped_lines(self) -> int:
        """Lines that the reader had no room for, so far."""
        return self._writer.dropped_lines

    def open(self) -> None:
        """Write the title; errors as `LineWriter.write`."""
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="replace")  # a locale may lack a letter of a stream's name
        self._writer.write(self._title())

    def send(self, event: Event) -> None:
        """Write an event if it is news; errors as `LineWriter.write`."""
        news = isinstance(event, Status) and (event.state != "running" or event.message or event.seq == 0)
        if news or (isinstance(event, Decision) and event.state != "update"):
            self._writer.write(line(event))

    def close(self) -> None:
        """Nothing to finish: every line was flushed."""
