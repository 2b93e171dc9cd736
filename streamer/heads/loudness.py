"""Follow how loud the sound of the last second was, so that nothing is named in what is next to silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from streamer.arrays import Array
from streamer.dsp.ragged import Ragged, most_of
from streamer.kernels.kernel import helper, kernel

PIECE_S = 0.01
"""Length of the pieces that are measured: an onset counts from the end of its piece on."""

MEAN_PIECES = 10
"""Number of pieces over which the power is averaged: about as long as the shortest sound that has a name."""

WINDOW_S = 1.0
"""Length of the sound whose loudest moment counts: about as much as the released ear takes into account."""

KEPT_PIECES = 50
"""Number of pieces before what is known for which the power may still be asked: the separation, whose windows are
longer than those of the front ends, is told of the past."""

PowerAt: TypeAlias = Callable[[Array], Array]
"""``power_at(stops)`` returns the mean square, where full scale is 1, of the loudest 0.1 s in the last second before
each of some samples: a float64 array in the shape of `stops`. Samples count from the start of the epoch, at the
captured rate. Before the first 0.01 s of an epoch, and where it is no longer known, it is infinite: no floor holds
there."""


def no_floor(stops: Array) -> Array:
    """Return infinite powers, which lie above every floor: a `PowerAt` for work that has no floor."""
    return np.full(stops.shape, np.inf)


@dataclass
class LoudnessState:
    """State of a `Loudness`, with a row for each stream.

    Attributes
    ----------
    powers : float64 array, shape (streams, 1 + MEAN_PIECES + number of pieces in WINDOW_S)
        Sum of squares of the piece that goes on; powers (mean squares, where full scale is 1) of the last
        `MEAN_PIECES` pieces, the latest last; means of such powers at the end of each piece of the last `WINDOW_S`,
        the latest last. They lie in one array, since a compiled function that is called for each block takes longer
        for each array that it is given.
    counts : int64 array, shape (streams, 3)
        Number of samples of the piece that goes on; number of the first piece that may still be asked for, from 0 at
        the start of the epoch; and how many there are from that one on.
    loudest : float64 array, shape (streams, pieces)
        Greatest mean power of the last `WINDOW_S`, at the end of each of these pieces.
    """

    powers: Array
    counts: Array
    loudest: Array


@dataclass(frozen=True)
class Loudness:
    """Measures the loudest moment of the last second, on a fixed grid of the sample clock.

    The squares are summed sample by sample, so that the powers are the same however the sound is cut into blocks.

    Parameters
    ----------
    rate_hz : int
        Sample rate of the captured sound.
    """

    rate_hz: int

    @cached_property
    def _piece_samples(self) -> int:
        return max(1, round(PIECE_S * self.rate_hz))

    def init(self, streams: int = 1) -> LoudnessState:
        """Return the state of streams at the start of an epoch, before their first sample: all powers are 0."""
        powers = np.zeros((streams, 1 + MEAN_PIECES + round(WINDOW_S / PIECE_S)))
        return LoudnessState(powers, np.zeros((streams, 3), np.int64), np.zeros((streams, 2 * KEPT_PIECES)))

    def step_rows(self, mono: Ragged, known_until: Array, state: LoudnessState, rows: Array) -> None:
        """Take samples of some streams.

        Parameters
        ----------
        mono : Ragged, values float32 of shape (streams, samples)
            Next samples at the captured rate, one channel; full scale is -1 to 1.
        known_until : int64 array, with all rows of the state
            Sample before which nothing will be asked for any more, or at most for the last `KEPT_PIECES` before it.
        state : LoudnessState
            Updated.
        rows : int64 array, shape (streams,)
            Row in `state` of each stream.
        """
        piece = self._piece_samples
        _forget(known_until, rows, state.counts, state.loudest, piece)
        needed = most_of(state.counts[rows, 2]) + mono.most // piece + 1
        if needed > state.loudest.shape[1]:
            longer = np.zeros((len(state.loudest), needed))
            longer[:, : state.loudest.shape[1]] = state.loudest
            state.loudest = longer
        _measure(mono.values, mono.counts, rows, state.powers, state.counts, state.loudest, piece)

    def powers(self, stops: Array, state: LoudnessState, rows: Array) -> Array:
        """Return the mean square of the loudest 0.1 s in the last second before some samples (see `PowerAt`).

        Parameters
        ----------
        stops : int64 array, shape (streams, steps)
        state : LoudnessState
        rows : int64 array, shape (streams,)
            Row in `state` of each stream.

        Returns
        -------
        float64 array, shape (streams, steps)
        """
        powers = np.empty(stops.shape)
        _find_powers(stops, rows, state.counts, state.loudest, self._piece_samples, powers)
        return powers

    def power_at(self, state: LoudnessState, row: int) -> PowerAt:
        """Return the function that tells the power before samples of one stream, in whatever state it is then."""
        rows = np.array([row])

        def power_at(stops: Array) -> Array:
            return self.powers(stops.reshape(1, -1), state, rows).reshape(stops.shape)

        return power_at


@kernel("const int64[:], const int64[:], int64[:,:], float64[:,:], int")
def _forget(known_until: Array, rows: Array, counts: Array, loudest: Array, piece: int) -> None:
    """Drop the pieces that will not be asked for any more."""
    for n in range(len(rows)):
        own, kept = loudest[rows[n]], counts[rows[n]]
        past = min(kept[2], known_until[rows[n]] // piece - 1 - KEPT_PIECES - kept[1])
        if past > 0:
            for i in range(kept[2] - past):
                own[i] = own[i + past]
            kept[1] += past
            kept[2] -= past


@kernel("const float32[:,:], const int64[:], const int64[:], float64[:,:], int64[:,:], float64[:,:], int")
def _measure(
    x: Array, samples: Array, rows: Array, powers: Array, counts: Array, loudest: Array, piece: int
) -> None:
    for n in range(len(rows)):
        row = rows[n]
        own, kept = loudest[row], counts[row]
        pieces, recent = powers[row, 1 : 1 + MEAN_PIECES], powers[row, 1 + MEAN_PIECES :]
        total, counted = powers[row, 0], kept[0]
        for i in range(samples[n]):
            value = np.float64(x[n, i])
            total += value * value
            counted += 1
            if counted == piece:
                _append(pieces, total / piece)
                mean = 0.0
                for power in pieces:
                    mean += power
                _append(recent, mean / MEAN_PIECES)
                own[kept[2]] = recent[0]
                for power in recent:
                    own[kept[2]] = max(own[kept[2]], power)
                kept[2] += 1
                counted, total = 0, 0.0
        powers[row, 0], kept[0] = total, counted


@kernel("const int64[:,:], const int64[:], const int64[:,:], const float64[:,:], int, float64[:,:]")
def _find_powers(stops: Array, rows: Array, counts: Array, loudest: Array, piece: int, powers: Array) -> None:
    for n in range(stops.shape[0]):
        for k in range(stops.shape[1]):
            number = stops[n, k] // piece - 1 - counts[rows[n], 1]
            powers[n, k] = loudest[rows[n], number] if 0 <= number < loudest.shape[1] else np.inf


@helper
def _append(values: Array, latest: float) -> None:
    """Move all values one place forward and put `latest` last."""
    for i in range(len(values) - 1):
        values[i] = values[i + 1]
    values[-1] = latest
