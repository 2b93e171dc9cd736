"""The ring between the capture callback and the engine."""

from __future__ import annotations

import math

import numpy as np

from streamer.arrays import Array
from streamer.audio.ring_kernels import (
    CAPACITY,
    CHANNELS,
    HEADER_WORDS,
    NEWEST_TIME,
    OVERRUNS,
    RATE_HZ,
    WRITTEN,
    read_frames,
    write_frames,
)


class RingBuffer:
    """Sound on its way from one writer to one reader, preallocated and counted.

    The writer never waits: a full ring loses its oldest frames. Frames have absolute indices, so that the
    reader sees a loss as a jump of the index, and counts it. Writer and reader may be different threads, and
    the writer may be compiled code that holds no GIL (`streamer.audio.ring_kernels.capture_callback`).

    Parameters
    ----------
    capacity_frames : int
        How many frames it holds; 1 or more.
    channels : int
        1 or more.
    rate_hz : int
        Frames per second; above 0.

    Raises
    ------
    ValueError
        If one of them is out of its range.
    """

    def __init__(self, capacity_frames: int, channels: int, rate_hz: int) -> None:
        if min(capacity_frames, channels, rate_hz) < 1:
            raise ValueError(
                f"ring got {capacity_frames} frames of {channels} channels at {rate_hz} Hz; "
                "expected each to be 1 or more"
            )
        self.capacity_frames, self.channels, self.rate_hz = capacity_frames, channels, rate_hz
        self._memory = np.zeros(HEADER_WORDS + (capacity_frames * channels + 1) // 2, np.int64)
        self._memory[[CAPACITY, CHANNELS, RATE_HZ]] = capacity_frames, channels, rate_hz
        self._memory[NEWEST_TIME : NEWEST_TIME + 1].view(np.float64)[0] = math.nan
        self._position = 0
        self._lost_frames = 0
        self._anchor = (0, math.nan)

    @property
    def address(self) -> int:
        """Where the memory lies, for a compiled writer; valid as long as the ring lives."""
        return int(self._memory.ctypes.data)

    @property
    def written_frames(self) -> int:
        """Absolute index of the frame that is written next."""
        return int(self._memory[WRITTEN])

    @property
    def overruns(self) -> int:
        """How often the device said that it lost sound before the ring."""
        return int(self._memory[OVERRUNS])

    @property
    def lost_frames(self) -> int:
        """Frames that the reader never got: overwritten, or lost by the device at an overrun."""
        return self._lost_frames

    @property
    def backlog_frames(self) -> int:
        """How many frames are waiting."""
        return min(self.written_frames - self._position, self.capacity_frames)

    def compile(self) -> None:
        """Compile writing and reading, or load them from the cache, without changing anything."""
        spare = RingBuffer(1, self.channels, self.rate_hz)
        block = np.zeros((1, self.channels), np.float32)
        spare.write(block)
        spare.read(1)

    def write(self, block: Array, captured_at: float = math.nan, lost_frames: int = 0) -> None:
        """Append frames, over the oldest ones if there is no room.

        Parameters
        ----------
        block : float32 array, shape (frames, channels)
        captured_at : float
            When the last frame was captured, in seconds on the writer's clock; NaN if unknown.
        lost_frames : int
            How many frames were lost just before these; 0 or more.
        """
        write_frames(self._memory, block, captured_at, lost_frames)

    def read(self, max_frames: int) -> tuple[int, Array] | None:
        """Take the oldest frames that follow each other without a gap.

        Parameters
        ----------
        max_frames : int
            How many at most.

        Returns
        -------
        (start, samples) or None
            Absolute index of the first frame, and a float32 array of shape (frames, channels) that is the
            caller's own; None if there is nothing to take now.
        """
        out = np.empty((min(max_frames, self.backlog_frames), self.channels), np.float32)
        start, offset, frames, newest, newest_time = read_frames(self._memory, self._position, out)
        self._lost_frames += start - self._position
        self._position = start + frames
        if not math.isnan(newest_time):
            self._anchor = newest, newest_time
        return (start, out[offset : offset + frames]) if frames else None

    def skip(self, frames: int) -> int:
        """Drop the oldest waiting frames.

        Parameters
        ----------
        frames : int
            How many at most; below 0 counts as 0.

        Returns
        -------
        int
            How many of the waiting frames were dropped; they do not count as lost.
        """
        oldest = max(self._position, self.written_frames - self.capacity_frames)
        dropped = max(0, min(frames, self.written_frames - oldest))
        self._lost_frames += oldest - self._position
        self._position = oldest + dropped
        return dropped

    def time_of(self, frame: int) -> float | None:
        """When the frame before index `frame` was captured, on the writer's clock.

        Counted at the nominal rate from the newest frame whose time is known; None if there is none.
        """
        newest, newest_time = self._anchor
        return None if math.isnan(newest_time) else newest_time - (newest - frame) / self.rate_hz
