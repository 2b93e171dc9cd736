"""Hand sound from the capture callback to the engine through a ring buffer."""

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
    """A preallocated ring buffer of sound between one writer and one reader.

    The writer never waits: a full ring loses its oldest frames. Frames have absolute indices, so the reader
    sees a loss as a jump of the index, and counts it. Writer and reader may be different threads, and the
    writer may be compiled code that does not hold the GIL (`streamer.audio.ring_kernels.capture_callback`).

    Parameters
    ----------
    capacity_frames : int
        Number of frames that the ring holds; 1 or more.
    channels : int
        Number of channels; 1 or more.
    rate_hz : int
        Frames per second; 1 or more.

    Raises
    ------
    ValueError
        If a parameter is below 1.
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
        """Address of the ring's memory, for a compiled writer; valid as long as the ring exists."""
        return int(self._memory.ctypes.data)

    @property
    def written_frames(self) -> int:
        """Absolute index of the next frame to be written."""
        return int(self._memory[WRITTEN])

    @property
    def overruns(self) -> int:
        """Number of times that the device reported lost sound."""
        return int(self._memory[OVERRUNS])

    @property
    def lost_frames(self) -> int:
        """Number of frames that the reader never got: overwritten, or lost by the device at an overrun."""
        return self._lost_frames

    @property
    def backlog_frames(self) -> int:
        """Number of frames that wait to be read."""
        return min(self.written_frames - self._position, self.capacity_frames)

    def compile(self) -> None:
        """Compile the functions that write and read, or load them from the cache; the ring is not changed."""
        spare = RingBuffer(1, self.channels, self.rate_hz)
        block = np.zeros((1, self.channels), np.float32)
        spare.write(block)
        spare.read(1)

    def write(self, block: Array, captured_at: float = math.nan, lost_frames: int = 0) -> None:
        """Append frames; overwrite the oldest ones if there is no room.

        Parameters
        ----------
        block : float32 array, shape (frames, channels)
            The frames.
        captured_at : float
            Time at which the last frame was captured, in seconds on the writer's clock; NaN if unknown.
        lost_frames : int
            Number of frames that were lost just before these; 0 or more.
        """
        write_frames(self._memory, block, captured_at, lost_frames)

    def read(self, max_frames: int) -> tuple[int, Array] | None:
        """Remove and return the oldest waiting frames, up to the next gap.

        Parameters
        ----------
        max_frames : int
            Largest number of frames to return.

        Returns
        -------
        (start, samples) or None
            Absolute index of the first frame, and a new float32 array of shape (frames, channels); None if no
            frame waits.
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
            Largest number of frames to drop; below 0 counts as 0.

        Returns
        -------
        int
            Number of frames that were dropped; they do not count as lost.
        """
        oldest = max(self._position, self.written_frames - self.capacity_frames)
        dropped = max(0, min(frames, self.written_frames - oldest))
        self._lost_frames += oldest - self._position
        self._position = oldest + dropped
        return dropped

    def time_of(self, frame: int) -> float | None:
        """Return the capture time of the frame before index `frame`, in seconds on the writer's clock.

        It is counted at the nominal rate from the newest frame whose time is known; None if no time is known.
        """
        newest, newest_time = self._anchor
        return None if math.isnan(newest_time) else newest_time - (newest - frame) / self.rate_hz
