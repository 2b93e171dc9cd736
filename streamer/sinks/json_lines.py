"""Write events as lines of JSON: the headers of the wire format, one a line."""

from __future__ import annotations

import io
import os
import select
from pathlib import Path
from typing import TextIO

from streamer.errors import StreamError
from streamer.events import Event, header_json
from streamer.sinks.sink import Sink


class ReaderGoneError(StreamError):
    """Whoever read the lines has had enough (``| head``): a reason to stop, and no failure."""

    exit_code = 0


class JsonLines(Sink):
    """Writes each event's header as one line of UTF-8 JSON and flushes it.

    It waits for a reader that is slower, so that none is lost: right for files, which can wait too.

    Parameters
    ----------
    stream : TextIO
        Where to; not closed.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def open(self) -> None:
        """Set the stream to UTF-8, whatever the locale: JSON knows nothing else."""
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(encoding="utf-8")

    def send(self, event: Event) -> None:
        """Write an event.

        Raises
        ------
        ReaderGoneError
            The first time that nobody reads any more; later events are passed over.
        StreamError
            If it cannot be written for another reason, such as a full disk; later events are passed over.
        """
        if self._gone:
            return
        try:
            self._stream.write(header_json(event) + "\n")
            self._stream.flush()
        except OSError as error:
            self._give_up()
            name = getattr(self._stream, "name", "the output")
            if isinstance(error, BrokenPipeError):
                raise ReaderGoneError(f"nobody reads {name} any more") from error
            raise StreamError(
                f"cannot write messages to {name}: {error.strerror}; make room or write elsewhere"
            ) from error

    def close(self) -> None:
        """Nothing to finish: every line was flushed."""

    def _give_up(self) -> None:
        self._gone = True
        # The line is still in the buffer: without this, Python would try it again at exit and complain.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


class LiveJsonLines(JsonLines):
    """`JsonLines` for live sound, which cannot wait: while the reader is full, lines are dropped.

    The reader sees it in ``seq``.

    Parameters
    ----------
    stream : TextIO
        With a file descriptor.

    Attributes
    ----------
    dropped : int
        Lines so far.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.dropped = 0
        self._room = select.poll()

    def open(self) -> None:
        super().open()
        self._room.register(self._stream.fileno(), select.POLLOUT)

    def send(self, event: Event) -> None:
        # A pipe that polls as writable takes PIPE_BUF bytes (4096 on Linux) at once; headers are shorter.
        if self._room.poll(0):
            super().send(event)
        else:
            self.dropped += 1
