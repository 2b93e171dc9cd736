"""Decode by ffmpeg what comes as bytes: a sound file, or several that were joined end to end, each alone."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from streamer.errors import StreamError
from streamer.sources.byte_streams.part_reader import PartReader
from streamer.sources.ffmpeg.ffmpeg_source import FfmpegSource, is_unedited_mp4
from streamer.sources.formats.announced_frames import announced_frames, rounding, shortness
from streamer.sources.formats.mp3_tag import LONGEST_PADDING_FRAMES, mp3_frames
from streamer.sources.formats.trimmed_end import TrimmedEnd
from streamer.sources.pipes.byte_input import ByteInput
from streamer.sources.pipes.pipe import enlarge
from streamer.sources.source import OPEN_POLL_S, Source
from streamer.sources.wrappers.converted import Shaped
from streamer.sources.wrappers.forgiving import Forgiving
from streamer.sources.wrappers.in_turn import InTurn, Opener, Shape
from streamer.sources.wrappers.wrapper import SourceWrapper

FEED_BYTES = 1 << 16
"""Length of the pieces that are handed to ffmpeg."""


class PartsSource(SourceWrapper):
    """The sound of a file that comes as bytes and that ffmpeg decodes, or of several files joined end to end.

    Parameters
    ----------
    data : ByteInput
        Input of the bytes. It is opened and closed with the source.
    form : str
        ffmpeg's name of the format of the first file; empty if ffmpeg is to recognise it.
    """

    opens_slowly = True

    def __init__(self, data: ByteInput, form: str = "") -> None:
        self._data = data
        self._first = MediaPart(data, None, form)
        super().__init__(self._first)

    def open(self) -> None:
        self._data.open()
        self._parts = PartReader(self._data.reader)
        self._first.parts = self._parts
        self._inner = InTurn(self._openers())
        try:
            super().open()
        except StreamError:
            self.close()
            raise
        if (frames := mp3_frames(self._parts.head)) is not None:
            self._inner = TrimmedEnd(self._inner, frames)

    def give_up_opening(self) -> None:
        self._first.give_up_opening()

    def close(self) -> None:
        super().close()
        self._data.close()

    def _openers(self) -> Iterator[Opener]:
        yield lambda shape: self._first  # noqa: ARG005 - it has its own
        while self._parts.goes_on:
            self._parts.next_part()
            yield self._further
        self._data.check_end()

    def _further(self, shape: Shape) -> Source:
        part = MediaPart(self._data, shape[0] if shape else None)
        part.parts = self._parts
        return Forgiving(Shaped(part, shape))


class MediaPart(FfmpegSource):
    """A sound file that comes as bytes, alone or as one of several.

    A thread hands the bytes to ffmpeg. If ffmpeg ends before them, the thread passes over the rest.

    Parameters
    ----------
    data : ByteInput
        Input that names the source, and says whether too little came.
    rate_hz : int or None
        Rate to which the sound is converted, of a file behind the first; None leaves it its own.
    form : str
        As of `PartsSource`.

    Attributes
    ----------
    parts : PartReader
        Reader of the bytes, to be set before `open`.
    """

    input_handle = subprocess.PIPE
    parts: PartReader

    def __init__(self, data: ByteInput, rate_hz: int | None, form: str = "") -> None:
        forever = float("inf")  # the writer of a pipe may wait as long as it likes
        arguments = ["-protocol_whitelist", "pipe", "-i", "pipe:0"]
        super().__init__(data.name, arguments, forever, forever, rate_hz=rate_hz)
        self._input_format = form
        self._data = data
        self._is_further = rate_hz is not None
        self._closing = threading.Event()
        self._feeder: threading.Thread | None = None

    def open(self) -> None:
        try:
            super().open()
        except StreamError:
            if self._is_further:  # the next part begins behind this one
                self._pass_over(self._given_up)
            raise

    def close(self) -> None:
        self._closing.set()
        super().close()
        if self._feeder is not None:
            self._feeder.join()
            self._feeder = None

    def is_unedited(self, container: str) -> bool:
        if container.startswith("mov,"):
            return is_unedited_mp4(self.parts.head)
        return super().is_unedited(container)

    def _start(self) -> subprocess.Popen[bytes]:
        process = super()._start()
        assert process.stdin is not None
        enlarge(process.stdin.fileno())
        self._feeder = threading.Thread(target=self._feed, args=(process.stdin,), name="feed", daemon=True)
        self._feeder.start()
        return process

    def _feed(self, sink: IO[bytes]) -> None:
        """Hand the bytes of this part on to ffmpeg, and pass over the rest if ffmpeg has ended."""
        with suppress(OSError), sink:
            for data in self._pieces(self._closing):
                _write(sink.fileno(), data)
        self._pass_over(self._closing)

    def _pieces(self, stop: threading.Event) -> Iterator[bytes]:
        """Yield the bytes of this part as they come, until `stop` is set."""
        while not self.parts.ended and not stop.is_set():
            self.parts.wait(OPEN_POLL_S)
            yield self.parts.read(FEED_BYTES)

    def _pass_over(self, stop: threading.Event) -> None:
        for _ in self._pieces(stop):
            pass

    def _end_or_wait(self, at_end: bool) -> None:
        """End when the bytes of this part have ended too; a first part that fails ends at once."""
        is_feeding = self._feeder is not None and self._feeder.is_alive()
        code = None if self._process is None else self._process.poll()
        if at_end and is_feeding and code is not None and (code == 0 or self._is_further):
            return
        super()._end_or_wait(at_end)

    @property
    def _is_whole(self) -> bool:
        announced = announced_frames(self.parts.head)
        holds_all = announced is not None and 0 <= self._position - announced <= LONGEST_PADDING_FRAMES
        return holds_all or super()._is_whole

    def _finish(self, code: int) -> None:
        super()._finish(code)
        head = self.parts.head
        short = shortness(self._name, announced_frames(head), self._position, rounding(head))
        if short and self._log.rate_hz == self.rate_hz:
            self._data.note_short(short)


def _write(descriptor: int, data: bytes) -> None:
    """Write all of `data`, waiting for its reader."""
    while data:
        data = data[os.write(descriptor, data) :]
