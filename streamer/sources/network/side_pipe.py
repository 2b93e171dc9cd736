"""Read what ffmpeg writes beside the sound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from streamer.sources.pipes.pipe import PIPE_BYTES, PipeReader, enlarge


class SidePipe:
    """A pipe into which ffmpeg writes something beside the sound."""

    def __init__(self) -> None:
        reading, self.descriptor = os.pipe()
        self._pipe: IO[bytes] = os.fdopen(reading, "rb", buffering=0)
        enlarge(reading)
        self.reader = PipeReader(reading, 1)
        self._begun_line = b""

    def lines(self) -> Iterator[bytes]:
        """Give the whole lines that have come, without their ends."""
        while fresh := self.reader.read(PIPE_BYTES):
            *lines, self._begun_line = (self._begun_line + fresh).split(b"\n")
            yield from lines

    def close_writing(self) -> None:
        """Close the end that ffmpeg has got, so that its end is the end of the pipe."""
        os.close(self.descriptor)

    def close(self) -> None:
        """Close the end that is read."""
        self._pipe.close()
