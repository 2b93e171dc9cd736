"""Read sound from an array in memory."""

from __future__ import annotations

from streamer.arrays import Array
from streamer.sources.source import Block, Source


class ArraySource(Source):
    """Source of the samples of an array, which are read as fast as the caller asks.

    Parameters
    ----------
    samples : float32 array, shape (frames, channels)
        The frames, all finite; full scale is -1 to 1.
    rate_hz : int
        Sample rate, 4,000 to 384,000.
    """

    def __init__(self, samples: Array, rate_hz: int) -> None:
        self.rate_hz, self.channels = rate_hz, samples.shape[1]
        self._samples = samples
        self._position = 0

    def open(self) -> None:
        """Do nothing: an array is always open."""

    def read(self, max_frames: int) -> Block | None:
        start, self._position = self._position, min(self._position + max_frames, len(self._samples))
        if start == self._position:
            return None
        return Block(start, self._samples[start : self._position], captured_at=None)

    def backlog_frames(self) -> int:
        return 0

    def skip(self, frames: int) -> int:  # noqa: ARG002 - what is read on demand has nothing to drop
        return 0

    @property
    def ended(self) -> bool:
        return self._position >= len(self._samples)

    @property
    def total_s(self) -> float | None:
        """Seconds of sound in the array."""
        return len(self._samples) / self.rate_hz

    def close(self) -> None:
        self._position = len(self._samples)
