"""What every source of sound does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from streamer.arrays import Array

POLL_S = 0.002
"""Between two looks at a source that cannot tell when it will have more."""


@dataclass(frozen=True)
class Block:
    """Consecutive frames of one stream.

    Attributes
    ----------
    start : int
        Absolute index of the first frame in its stream; a jump from the last block's end is a gap.
    samples : float32 array, shape (frames, channels)
        Full scale is -1 to 1.
    captured_at : float or None
        When the last frame was captured, on `time.monotonic`'s clock in seconds; None where sound has no
        time of its own (a file read as fast as possible).
    """

    start: int
    samples: Array
    captured_at: float | None

    @property
    def stop(self) -> int:
        """Absolute index of the frame after the last one."""
        return self.start + len(self.samples)


@dataclass(frozen=True)
class SourceCounts:
    """What a source could not deliver, counted since it was opened.

    Attributes
    ----------
    overruns : int
        How often the device lost sound, by its driver's word (PortAudio's input overflow) or by the clock.
    lost_frames : int
        Frames that could never be read, so that the index jumped: overwritten, or lost at an overrun.
    """

    overruns: int = 0
    lost_frames: int = 0


class Source(ABC):
    """A stream of sound that the engine reads without ever waiting.

    Opened once, read from one thread, closed once (closing twice is harmless). `rate_hz` and `channels` are
    valid after `open`.
    """

    rate_hz: int
    channels: int

    @property
    def opens_slowly(self) -> bool:
        """Whether `open` may wait for a network or a program, so that the engine has it done on another thread."""
        return False

    def give_up_opening(self) -> None:  # noqa: B027 - most sources open at once
        """Make an `open` that goes on in another thread fail soon. Nothing where `open` does not wait."""

    @abstractmethod
    def open(self) -> None:
        """Open it; whatever can go wrong with the name, the device or the format goes wrong here.

        Raises
        ------
        StreamerError
            With one line that names the source, the fault and the way out.
        """

    @abstractmethod
    def read(self, max_frames: int) -> Block | None:
        """Take what is there, at most `max_frames` frames; None when nothing is there yet or it has ended.

        Raises
        ------
        StreamError
            If the source failed while it was running (device unplugged, decoder error, stalled URL).
        """

    @abstractmethod
    def backlog_frames(self) -> int:
        """How many frames are waiting, as far as is known: the lag of the reader."""

    @abstractmethod
    def skip(self, frames: int) -> int:
        """Drop the oldest `frames` waiting frames, so that the next block starts later.

        Returns
        -------
        int
            How many were dropped. Sources with flow control (pipes, files read fast) have nothing to drop: 0.
        """

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether there will be no more blocks."""

    @property
    def counts(self) -> SourceCounts:
        """What was lost so far."""
        return SourceCounts()

    def wait_s(self, turn_s: float) -> float:  # noqa: ARG002 - for live sources
        """How long it is worth resting before the next `read`, once a read gave all that there was.

        Parameters
        ----------
        turn_s : float
            Live sound that may gather meanwhile, in seconds.

        Returns
        -------
        float
            Seconds, 0 or more.
        """
        return POLL_S

    @property
    def total_s(self) -> float | None:
        """Seconds of sound that there will be, as far as is known; an estimate, but where it is libsndfile's."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Give back the device, file or process."""
