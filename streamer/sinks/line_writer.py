"""Write lines of text to a terminal, a pipe or a file."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import TextIO

from streamer.errors import StreamError


class ReaderGoneError(StreamError):
    """Raised if the reader of the lines has closed its end (``| head``): a reason to stop, and no failure."""

    exit_code = 0


class LineWriter:
    """Writes lines and flushes each; it waits for a slow reader.

    Parameters
    ----------
    stream : text stream
        Output, which stays open.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def write(self, line: str) -> None:
        """Write a line.

        Parameters
        ----------
        line : str
            Without the line break.

        Raises
        ------
        ReaderGoneError
            If nobody reads any more. It is raised once; later lines are dropped without an error.
        StreamError
            If the line cannot be written for another reason, such as a full disk. Later lines are dropped.
        """
        if self._gone:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            self._give_up()
            name = getattr(self._stream, "name", "the output")
            if isinstance(error, BrokenPipeError):
                raise ReaderGoneError(f"nobody reads {name} any more") from error
            raise StreamError(
                f"cannot write messages to {name}: {error.strerror}; make room or write elsewhere"
            ) from error

    def _give_up(self) -> None:
        self._gone = True
        # The line is still in the buffer: without this, Python would try to write it again at exit, and complain.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


class LiveLineWriter(LineWriter):
    """`LineWriter` for live sound, which cannot wait: lines for which a slow reader has no room are dropped.

    Parameters
    ----------
    stream : text stream
        Output with a file descriptor.

    Attributes
    ----------
    dropped_lines : int
        Number of lines that the reader had no room for, so far.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.dropped_lines = 0
        self._room = select.poll()
        self._room.register(stream.fileno(), select.POLLOUT)

    def write(self, line: str) -> None:
        """Write a line, or drop and count it; raise the errors of `LineWriter.write`."""
        # A pipe that polls as writable takes PIPE_BUF bytes (4096 on Linux) at once; lines are shorter.
        if self._gone or self._room.poll(0):
            super().write(line)
        else:
            self.dropped_lines += 1
