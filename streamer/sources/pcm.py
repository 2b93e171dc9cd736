"""Read raw PCM from standard input or another descriptor."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import time
from collections.abc import Callable

from streamer.errors import ConfigError, StreamError
from streamer.sources.formats.pcm_encoding import pcm_encoding
from streamer.sources.formats.sound_file_kind import sound_file_kind
from streamer.sources.pipes.pipe import PIPE_BYTES, PipePacing, PipeReader, enlarge, full_bytes
from streamer.sources.source import Block, Source, format_fault
from streamer.sources.timing.arrival import PAUSE_S, ArrivalClock, Pace

logger = logging.getLogger(__name__)

JUDGE_S = 0.2
"""Time that is taken at the beginning to see whether sound comes faster than it lasts."""


class PcmSource(Source):
    """Interleaved samples without a header, read from a pipe.

    The pipe makes a fast writer wait, so nothing is dropped and `skip` drops nothing. Sound that comes as
    it happens has the time at which it came; sound from storage has none.

    Parameters
    ----------
    descriptor : int
        Descriptor that is open for reading and stays open; 0 is standard input.
    rate_hz : int
        Sample rate, 4,000 to 384,000.
    channels : int
        Number of channels, 1 or more.
    encoding : str
        Encoding of the samples, by the name that ffmpeg, arecord or sox gives it (`pcm_encoding`).
    clock : callable
        Returns seconds; `time.monotonic` except in tests.
    name : str
        Name of the source in messages; None names the descriptor.
    head : bytes
        Bytes that were already read from the descriptor; they are the beginning of the sound.

    Raises
    ------
    ConfigError
        If the rate, the channels or the encoding cannot be used.
    """

    timed_by = "arrival"

    def __init__(
        self,
        descriptor: int,
        rate_hz: int = 16_000,
        channels: int = 1,
        encoding: str = "s16le",
        clock: Callable[[], float] = time.monotonic,
        name: str | None = None,
        head: bytes = b"",
    ) -> None:
        self._encoding = pcm_encoding(encoding)
        if fault := format_fault(rate_hz, channels):
            raise ConfigError(f"raw PCM {fault}")
        self.rate_hz = rate_hz
        self.channels = channels
        self._descriptor = descriptor
        self._name = name or ("standard input" if descriptor == 0 else f"descriptor {descriptor}")
        self._head = head
        self._frame_bytes = channels * self._encoding.sample_bytes
        self._clock = clock
        self._reader: PipeReader | None = None
        self._ended = False
        self._position = 0

    def open(self) -> None:
        if not _is_open(self._descriptor):
            raise StreamError(f"{self._name} is closed; expected raw PCM: {self._example()}")
        if os.isatty(self._descriptor):
            raise StreamError(
                f"{self._name} is a terminal; expected raw PCM through a pipe: {self._example()}"
            )
        self._reader = PipeReader(self._descriptor, self._frame_bytes, self._head)
        self._pacing = PipePacing(self.rate_hz, self._clock())
        self._pace, self._arrival = Pace(self._clock()), ArrivalClock(self.rate_hz)
        self._seen_at = self._clock()
        self._was_timed = False
        self._before_open = self.backlog_frames()  # it may have gathered for any time
        self._is_stored = not _is_pipe(self._descriptor)
        self._pipe_bytes = PIPE_BYTES if self._is_stored else enlarge(self._descriptor)

    def read(self, max_frames: int) -> Block | None:
        if self._reader is None or self._ended:
            return None
        try:
            data = self._reader.read(max_frames)
        except OSError as error:
            self._ended = True
            raise StreamError(
                f"{self._name} cannot be read ({error.strerror}); expected raw PCM: {self._example()}"
            ) from error
        if self._reader.ended:
            self._ended = True
            self._warn_of_leftover(self._reader.begun_bytes)
            if not data and self._position == 0:
                raise StreamError(
                    f"{self._name} ended without any sound; expected at least 1 frame of raw PCM, or a sound file: see "
                    "whether the program that writes it works on its own"
                )
        if not data:
            return None
        if self._position == 0 and (found := sound_file_kind(data)):
            logger.warning(
                "%s begins with the header of a sound file (%s), which is heard as noise, because a format of raw PCM "
                "was given; leave that out (--pcm, or [pcm] in the configuration), and the file is decoded",
                self._name,
                found,
            )
        samples = self._encoding.decoded(data).reshape(-1, self.channels)
        start, self._position = self._position, self._position + len(samples)
        self._pacing.note_read(len(samples), self._clock())
        captured_at = self._captured_at()
        self._was_timed = captured_at is not None
        return Block(start, samples, captured_at)

    def judge_pace(self) -> None:
        """Look for a moment how fast sound comes, so that the first block has a time if it is live, and none if not."""
        judged_at = self._clock() + JUDGE_S
        while self._reader is not None and self._clock() < judged_at and not self._note_pace():
            if self._reader.hung_up:
                self._is_stored = True
                return
            time.sleep(JUDGE_S / 10)

    def _note_pace(self) -> bool:
        """Take note of what has come; return whether it comes faster than it lasts."""
        waiting = self.backlog_frames()
        arrived = self._position + waiting
        is_full = waiting * self._frame_bytes >= full_bytes(self._pipe_bytes)
        self._pace.note((arrived - self._before_open) / self.rate_hz, is_full, self._clock())
        return self._pace.is_fast

    def _captured_at(self) -> float | None:
        """Return the time at which the last frame came that was read; None if the sound comes from storage."""
        if self._is_stored or self._note_pace():
            return None
        now = self._clock()
        if now - self._seen_at > PAUSE_S:
            self._arrival = ArrivalClock(
                self.rate_hz
            )  # the writer paused, and its frames count on without a gap
        self._seen_at = now
        self._arrival.note(self._position + self.backlog_frames(), now)
        return self._arrival.captured_at(self._position)

    def wait_s(self, turn_s: float) -> float:
        return self._pacing.wait_s(self._clock(), turn_s)

    def backlog_frames(self) -> int:
        return 0 if self._reader is None or self._ended else self._reader.waiting_items()

    def skip(self, frames: int) -> int:  # noqa: ARG002 - what waits in a pipe cannot be dropped
        return 0

    @property
    def is_timed(self) -> bool:
        """Whether the last block had a time, since the pipe is filled as the sound happens."""
        return self._was_timed

    @property
    def ended(self) -> bool:
        return self._ended

    def close(self) -> None:
        self._reader = None
        self._ended = True

    def _warn_of_leftover(self, leftover_bytes: int) -> None:
        if leftover_bytes:
            logger.warning(
                "%s ended within a frame: its last %d bytes were left out "
                "(a frame of %d channels of %s has %d); check channels and encoding",
                self._name,
                leftover_bytes,
                self.channels,
                self._encoding.name,
                self._frame_bytes,
            )

    def _example(self) -> str:
        raw = f"-f {self._encoding.name.partition('_')[0]} -ar {self.rate_hz} -ac {self.channels}"
        return f"`ffmpeg -v error -i FILE {raw} - | streamer listen --device -`"


def _is_pipe(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _is_open(descriptor: int) -> bool:
    """Return whether a descriptor can be read; a null device for writing stands for one that is closed."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_WRONLY
    except OSError:
        return False
