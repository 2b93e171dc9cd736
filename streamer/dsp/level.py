"""Measure the level of a stream, as a stage."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.stage import Stage
from streamer.kernels.kernel import kernel

FLOOR_DBFS = -120.0
"""Lowest reported level; it is below the noise of any converter."""


@dataclass(frozen=True)
class LevelMeter(Stage):
    """Stage that turns samples into pairs of mean square and peak, one for each interval.

    Parameters
    ----------
    interval_samples : int
        Length of an interval; at least 1.
    """

    interval_samples: int

    @property
    def hop(self) -> Fraction:
        return Fraction(self.interval_samples)

    @property
    def latency(self) -> Fraction:
        return Fraction(self.interval_samples)

    def init(self, batch: int = 1) -> State:
        return np.zeros((batch, 2)), np.zeros(batch, np.int64)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return mean square and peak magnitude of the intervals that `x` completes.

        Parameters
        ----------
        x : float32 array, shape (batch, samples)
            The next samples.
        state : State
            State from `init` or the last `step`.

        Returns
        -------
        y : float64 array, shape (batch, intervals, 2)
            Mean square and peak; full scale is 1.
        state : State
            State for the next `step`.
        """
        held, count = state
        intervals = (int(count[0]) + x.shape[1]) // self.interval_samples
        y = np.empty((len(x), intervals, 2))
        _measure(x, held, count, self.interval_samples, y)
        return y, state

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, 2))


def dbfs(power: float) -> float:
    """Return a power (1 is full scale) in decibels, rounded to a hundredth and not below `FLOOR_DBFS`."""
    return FLOOR_DBFS if power <= 1e-12 else round(10 * float(np.log10(power)), 2)


@kernel("const float32[:,:], float64[:,:], int64[:], int, float64[:,:,:]")
def _measure(x: Array, held: Array, count: Array, interval: int, y: Array) -> None:
    # Samples are added one by one, so that the sum is the same however the sound is cut into blocks.
    for b in range(x.shape[0]):
        k, counted, total, peak = 0, count[b], held[b, 0], held[b, 1]
        for i in range(x.shape[1]):
            value = np.float64(x[b, i])
            total += value * value
            peak = max(peak, abs(value))
            counted += 1
            if counted == interval:
                y[b, k, 0] = total / interval
                y[b, k, 1] = peak
                k, counted, total, peak = k + 1, 0, 0.0, 0.0
        count[b], held[b, 0], held[b, 1] = counted, total, peak
