"""Plain lines of text: decisions, and what happens to the streams."""

from __future__ import annotations

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
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def open(self) -> None:
        pass

    def send(self, event: Event) -> None:
        news = isinstance(event, Status) and (event.state != "running" or event.message or event.seq == 0)
        if news or (isinstance(event, Decision) and event.state != "update"):
            try:
                self._out.write(line(event) + "\n")
                self._out.flush()
            except BrokenPipeError as error:
                raise ReaderGoneError("nobody reads the lines any more") from error

    def close(self) -> None:
        pass
