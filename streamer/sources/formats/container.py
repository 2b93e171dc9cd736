"""Read the PCM of a WAV, AIFF, AU or CAF as its bytes come, from a file, standard input or a URL."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from streamer.errors import StreamError
from streamer.sources.formats.containers.survey import steps_through
from streamer.sources.formats.containers.walk import LONGEST_FILL, Pass, Take, Walk
from streamer.sources.pipes.byte_input import ByteInput, FileInput
from streamer.sources.pipes.pipe import PipePacing
from streamer.sources.source import OPEN_POLL_S, Block, Source, format_fault, given_up

logger = logging.getLogger(__name__)

READ_BYTES = 1 << 16
"""Length of a read."""


class ContainerSource(Source):
    """The sound of a container of plain PCM, or of several joined end to end, to its very end.

    Nothing is dropped: the writer of a pipe waits. The capture time of the sound is not known.

    Parameters
    ----------
    data : ByteInput
        Input of the bytes. It is opened and closed with the source.
    total_frames : int or None
        Number of frames of the whole sound; None if unknown.
    clock : callable
        Returns seconds; `time.monotonic` except in tests.
    """

    def __init__(
        self, data: ByteInput, total_frames: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._input = data
        self._total_frames = total_frames
        self._clock = clock
        self._position = 0
        self._ended = False
        self._given_up = False

    @property
    def opens_slowly(self) -> bool:
        return not isinstance(self._input, FileInput)

    def give_up_opening(self) -> None:
        self._given_up = True

    def open(self) -> None:
        self._input.open()
        self._unpacker = Unpacker()
        try:
            self._open_format()
        except StreamError:
            self.close()
            raise
        self._pacing = PipePacing(self.rate_hz, self._clock())

    def read(self, max_frames: int) -> Block | None:
        wanted = max_frames * self._frame_bytes
        if len(self._unpacker.sound) < wanted and not self._ended:
            self._fetch(max(READ_BYTES, wanted))
        data = self._unpacker.taken(
            min(wanted, len(self._unpacker.sound)) // self._frame_bytes * self._frame_bytes
        )
        if not data:
            if self._unpacker.ended and not self._ended:
                self._finish()
            return None
        samples = self._encoding.decoded(data).reshape(-1, self.channels)
        block = Block(self._position, samples, captured_at=None)
        self._position = block.stop
        self._pacing.note_read(len(samples), self._clock())
        return block

    def wait_s(self, turn_s: float) -> float:
        return self._pacing.wait_s(self._clock(), turn_s)

    def backlog_frames(self) -> int:
        if self._ended:
            return 0
        return (len(self._unpacker.sound) + self._input.reader.waiting_items()) // self._frame_bytes

    def skip(self, frames: int) -> int:  # noqa: ARG002 - what waits in a pipe cannot be dropped
        return 0

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def total_s(self) -> float | None:
        return None if self._total_frames is None else self._total_frames / self.rate_hz

    def close(self) -> None:
        self._input.close()
        self._ended = True

    def _open_format(self) -> None:
        while self._unpacker.walk.format is None:
            if self._unpacker.ended:
                self._input.check_end()
                raise StreamError(f"{self._input.name} holds no sound (0 frames); expected at least 1 frame")
            if self._given_up:
                raise given_up(self._input.name)
            self._input.reader.wait(OPEN_POLL_S)
            self._fetch(READ_BYTES)
        found = self._unpacker.walk.format
        if fault := format_fault(found.rate_hz, found.channels):
            raise StreamError(f"{self._input.name} {fault}")
        self.rate_hz, self.channels = found.rate_hz, found.channels
        self._encoding, self._frame_bytes = found.encoding, found.frame_bytes

    def _fetch(self, max_bytes: int) -> None:
        if not self._unpacker.ended:
            data = self._input.reader.read(max_bytes)
            if data or self._input.reader.ended:
                self._unpacker.feed(data, is_last=self._input.reader.ended)

    def _finish(self) -> None:
        self._input.check_end()
        walk, name = self._unpacker.walk, self._input.name
        self.close()
        if self._position == 0:
            raise StreamError(f"{name} holds no sound (0 frames); expected at least 1 frame")
        if walk.missing_bytes:
            logger.warning(
                "%s is cut short (%d bytes, or %.2f s, of the sound that it announces are missing): %d frames are read",
                name,
                walk.missing_bytes,
                walk.missing_bytes / self._frame_bytes / self.rate_hz,
                self._position,
            )
        if walk.other:
            logger.warning(
                "%s goes on with sound of another format after frame %d, which is not read; split it there",
                name,
                self._position,
            )


class Unpacker:
    """Takes the sound out of containers whose bytes come in pieces.

    Attributes
    ----------
    walk : Walk
        State of the walk through the containers.
    sound : bytearray
        Bytes of sound that wait to be taken.
    ended : bool
        Whether no more sound will come.
    """

    def __init__(self) -> None:
        self.walk = Walk()
        self.sound = bytearray()
        self.ended = False
        self._waiting = bytearray()
        self._passed = self._zeros = 0
        self._steps = steps_through(self.walk)
        self._step = next(self._steps)

    def feed(self, data: bytes, is_last: bool) -> None:
        """Take the next bytes of the containers; `is_last` says that none come after them."""
        self._waiting += data
        while not self.ended and self._advance(is_last):
            pass

    def taken(self, length: int) -> bytes:
        """Remove `length` bytes of the waiting sound, and return them."""
        data = bytes(memoryview(self.sound)[:length])
        del self.sound[:length]
        return data

    def _advance(self, is_last: bool) -> bool:
        """Answer the present step if there are enough bytes; return whether there were."""
        step = self._step
        if isinstance(step, Take):
            if len(self._waiting) < step.length and not is_last:
                return False
            answer: bytes | int = bytes(self._waiting[: step.length])
            if not step.peek:
                del self._waiting[: step.length]
        else:
            length = len(self._waiting) if step.length is None else step.length - self._passed
            passed = self._waiting[:length]
            if step.is_sound:
                self.sound += self._heard(passed, step)
            del self._waiting[:length]
            self._passed += len(passed)
            if not is_last and self._passed != step.length:
                return False
            answer = self._passed - self._zeros
            self._passed = self._zeros = 0
        try:
            self._step = self._steps.send(answer)
        except StopIteration:
            self.ended = True
        return True

    def _heard(self, passed: bytearray, step: Pass) -> bytearray:
        """Return the sound among bytes that are passed over; zeros that may only fill the file up are held back."""
        held_back, fits = self._zeros, self._zeros + len(passed) <= LONGEST_FILL
        if step.unless_zeros and held_back == self._passed and fits and not passed.strip(b"\0"):
            self._zeros += len(passed)
            return bytearray()
        self._zeros = 0
        return bytearray(held_back) + passed
