"""Write events as lines of JSON: the headers of the wire format, one in each line."""

from __future__ import annotations

import io
import json
from typing import TextIO

from streamer.events.kinds import Event
from streamer.events.readable import readable
from streamer.events.serialization import header_json
from streamer.sinks.line_writer import LineWriter, LiveLineWriter
from streamer.sinks.sink import Sink


class JsonLines(Sink):
    """Writes each event's header as one line of UTF-8 JSON and flushes it.

    It waits for a slow reader, so that no line is lost. This is right if the sound can wait, as that of files.

    Parameters
    ----------
    stream : text stream
        Output, which stays open.
    source : str
        Device of the stream whose events these are, which each line gets as its last field; empty adds none.
    """

    def __init__(self, stream: TextIO, source: str = "") -> None:
        self._stream = stream
        self._end = f',"source":{json.dumps(readable(source), ensure_ascii=False)}}}' if source else "}"
        self._writer = LineWriter(stream)

    def open(self) -> None:
        """Set the stream to UTF-8, whatever the locale: JSON has no other encoding."""
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(encoding="utf-8")

    def send(self, event: Event) -> None:
        """Write an event as a line; raise the errors of `LineWriter.write`."""
        self._writer.write(header_json(event).removesuffix("}") + self._end)

    def close(self) -> None:
        """Do nothing, since every line was flushed when it was written."""


class LiveJsonLines(JsonLines):
    """`JsonLines` for live sound, which cannot wait: lines for which a slow reader has no room are dropped.

    The reader can tell a loss by ``seq``.

    Parameters
    ----------
    stream : text stream
        Output with a file descriptor.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._writer: LiveLineWriter = LiveLineWriter(stream)

    @property
    def dropped_lines(self) -> int:
        return self._writer.dropped_lines
