"""Plain lines of text: decisions, and what happens to the streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from streamer.events import Decision, Event, Status
from streamer.sinks.json_lines import ReaderGoneError
from streamer.sinks.sink import Sink
from streamer.text import line


class Lines(Sink):
    """Writes a line for each decision and each status that says something new.

    Parameters
    ----------
    out : text stream
    title : callable
        Gives the first line: where it is published.
    """

    def __init__(self, out: TextIO, title: Callable[[], str]) -> None:
        self._out, self._title = out, title

    def open(self) -> None:
        self._write(self._title())

    def send(self, event: Event) -> None:
        news = isinstance(event, Status) and (event.state != "running" or event.message or event.seq == 0)
        if news or (isinstance(event, Decision) and event.state != "update"):
            self._write(line(event))

    def close(self) -> None:
        pass

    def _write(self, text: str) -> None:
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except BrokenPipeError as error:
            raise ReaderGoneError("nobody reads the lines any more") from error
