"""Measure the level of a stream, as a stage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.ragged import Ragged, allocated, filled
from streamer.dsp.stage import Stage, step_by_rows
from streamer.dsp.timeline import Timeline
from streamer.kernels.kernel import kernel

FLOOR_DBFS = -120.0
"""Lowest reported level; it is below the noise of any converter."""


@dataclass(frozen=True)
class LevelMeter(Stage):
    """Stage that turns samples into pairs of mean square and peak, one for each interval of a timeline.

    Parameters
    ----------
    timeline : Timeline
        An interval stops where an item of it stops; the first begins at sample 0.
    """

    timeline: Timeline

    @property
    def hop(self) -> Fraction:
        return self.timeline.hop_samples

    @property
    def latency(self) -> Fraction:
        return Fraction(self.timeline.latency, self.timeline.scale)

    def init(self, batch: int = 1) -> State:
        return np.zeros((batch, 2)), np.zeros((batch, 2), np.int64)

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
        return step_by_rows(self, x, state)

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        grid = self.timeline
        y, counts = allocated(len(rows), x.most * grid.scale // grid.hop + 2, 2, dtype=np.float64)
        _measure(x.values, x.counts, rows, *state, grid.hop, grid.latency, grid.scale, y, counts)
        return filled(y, counts)

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, 2))


def dbfs(power: float) -> float:
    """Return a power (1 is full scale) in decibels, rounded to a hundredth and not below `FLOOR_DBFS`."""
    return FLOOR_DBFS if power <= 1e-12 else round(10 * math.log10(power), 2)


@kernel(
    "const float32[:,:], const int64[:], const int64[:], float64[:,:], int64[:,:], int, int, int, float64[:,:,:], "
    "int64[:]"
)
def _measure(
    x: Array,
    counts: Array,
    rows: Array,
    held: Array,
    done: Array,
    hop: int,
    latency: int,
    scale: int,
    y: Array,
    intervals: Array,
) -> None:
    # Samples are added one by one, so that the sum is the same however the sound is cut into blocks.
    for n in range(len(rows)):
        row = rows[n]
        taken, item, total, peak = done[row, 0], done[row, 1], held[row, 0], held[row, 1]
        begun = 0 if item == 0 else -(-((item - 1) * hop + latency) // scale)
        stop, k = -(-(item * hop + latency) // scale), 0
        for i in range(counts[n]):
            value = np.float64(x[n, i])
            total += value * value
            peak = max(peak, abs(value))
            taken += 1
            if taken == stop:
                y[n, k, 0] = total / (stop - begun)
                y[n, k, 1] = peak
                k, item, total, peak, begun = k + 1, item + 1, 0.0, 0.0, stop
                stop = -(-(item * hop + latency) // scale)
        done[row, 0], done[row, 1], held[row, 0], held[row, 1] = taken, item, total, peak
        intervals[n] = k
