"""Define the interface of all sources of sound, and the formats that they accept."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streamer.arrays import Array
from streamer.errors import StreamError

POLL_S = 0.002
"""Interval between two looks at a source that cannot tell when it will have more sound."""

OPEN_POLL_S = 0.05
"""Interval at which `open` looks whether it was given up, while it waits for sound."""

LOWEST_RATE_HZ = 4_000
"""Lowest accepted sample rate: below telephone quality nothing can be recognised, so a lower one is an error."""

LOCAL_WAIT_S = 2.0
"""Longest wait until a device of this machine is tried again; those of servers grow longer."""

HIGHEST_RATE_HZ = 384_000
"""Highest accepted sample rate, which is the highest that audio interfaces are sold with."""


@dataclass(frozen=True)
class Block:
    """Consecutive frames of one stream.

    Attributes
    ----------
    start : int
        Absolute index of the first frame in its stream. If it is above the last block's `stop`, there is a gap.
    samples : float32 array, shape (frames, channels)
        Samples of the frames; full scale is -1 to 1.
    captured_at : float or None
        Capture time of the last frame in seconds, on the clock of `time.monotonic`; None if it is unknown, as of
        a file that is read as fast as possible.
    sent_at : float or None
        Capture time of the last frame on the sender's clock, in seconds since 1970 (UTC); None if it has not told its
        clock.
    change : str
        If another microphone is heard from this block on, words that say from which to which; otherwise empty.
    """

    start: int
    samples: Array
    captured_at: float | None
    sent_at: float | None = None
    change: str = ""

    @property
    def stop(self) -> int:
        """Absolute index of the frame after the last one."""
        return self.start + len(self.samples)


@dataclass(frozen=True)
class SourceCounts:
    """Counts of the sound that a source could not deliver since it was opened.

    Attributes
    ----------
    overruns : int
        Number of times that the device lost sound, as its driver reports (PortAudio's input overflow) or the
        clock shows.
    lost_frames : int
        Number of frames that were overwritten or lost at an overrun; the index jumped over them.
    """

    overruns: int = 0
    lost_frames: int = 0


NO_LOSS = SourceCounts()
"""Counts of a source that always delivers all of its sound."""


class Source(ABC):
    """An input of sound that the engine reads without waiting.

    A source is opened once, read from one thread and closed once; closing it twice does no harm. `rate_hz` and
    `channels` are valid after `open`.
    """

    rate_hz: int
    channels: int
    lost_by = "this machine or its sound system did not keep up"
    """Reason for gaps, as text."""
    timed_by: Literal["capture", "arrival", "playback", ""] = ""
    """What `Block.captured_at` tells: when the device captured a frame, when it came, or when it is played."""
    longest_wait_s = math.inf
    """Longest wait until it is tried again, after it broke off: short if a try costs nobody anything."""

    @property
    def is_live(self) -> bool:
        """Whether it captures sound as it happens, so that it has no end, and is opened again if it breaks off."""
        return False

    @property
    def opens_slowly(self) -> bool:
        """Whether `open` may wait for a network or a program; the engine then calls it on another thread."""
        return False

    def give_up_opening(self) -> None:  # noqa: B027 - most sources need not override it
        """Make an `open` that is running on another thread fail soon; do nothing if `open` never waits."""

    @abstractmethod
    def open(self) -> None:
        """Open the source, and check its name, device and format.

        Raises
        ------
        StreamerError
            If the source cannot be opened; the text names the source, the fault and what to do.
        """

    @abstractmethod
    def read(self, max_frames: int) -> Block | None:
        """Return the frames that have come, at most `max_frames`; None if there are none yet or the source has ended.

        Raises
        ------
        StreamError
            If the source failed while it ran: the device was unplugged, decoding failed, or a URL stalled.
        """

    @abstractmethod
    def backlog_frames(self) -> int:
        """Return how many frames wait to be read, as far as is known; this is the lag of the reader."""

    @abstractmethod
    def skip(self, frames: int) -> int:
        """Drop the oldest waiting frames, at most `frames`, so that the next block starts later.

        Returns
        -------
        int
            Number of dropped frames; 0 for sources whose writer waits (pipes, files read fast).
        """

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether no more blocks will come."""

    @property
    def counts(self) -> SourceCounts:
        """Counts of the frames that were lost so far."""
        return NO_LOSS

    def wait_s(self, turn_s: float) -> float:  # noqa: ARG002 - only live sources use it
        """Return how long to wait before the next `read`, if the last one returned all sound that had come.

        Parameters
        ----------
        turn_s : float
            Length of live sound that may gather meanwhile, in seconds.

        Returns
        -------
        float
            Seconds, 0 or more.
        """
        return POLL_S

    @property
    def total_s(self) -> float | None:
        """Length of the whole sound in seconds; None if unknown. Only libsndfile's is exact, others are estimates."""
        return None

    @property
    def tags(self) -> Mapping[str, str]:
        """Texts in the header that may tell when a recording began, by ffmpeg's names; none before `open`."""
        return {}

    @abstractmethod
    def close(self) -> None:
        """Release the device, file or process."""


def format_fault(rate_hz: int, channels: int) -> str | None:
    """Return in words what is wrong with a sample rate and a number of channels; None if they are accepted.

    Parameters
    ----------
    rate_hz, channels : int
        Format as a header, a device or an option gives it.

    Returns
    -------
    str or None
        The rest of a sentence whose subject is the sound ("has ..."), with what was expected.
    """
    if channels < 1:
        return f"has {channels} channels; expected at least 1"
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        return (
            f"has a sample rate of {rate_hz} Hz; expected {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz: "
            "correct the rate or convert the sound, as in `ffmpeg -i IN -ar 16000 OUT.wav`"
        )
    return None


def given_up(name: str) -> StreamError:
    """Return the error of an `open` that was told to give up.

    Parameters
    ----------
    name : str
        Name of the source in messages.
    """
    return StreamError(f"{name} was not waited for any longer")
