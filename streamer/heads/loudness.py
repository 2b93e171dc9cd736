"""Follow how loud the sound of the last second was, so that nothing is named in what is next to silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np

from streamer.arrays import Array
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

PowerAt: TypeAlias = Callable[[int], float]
"""``power_at(stop)`` returns the mean square, where full scale is 1, of the loudest 0.1 s in the last second before
sample `stop`. Samples count from the start of the epoch, at the captured rate. Before the first 0.01 s of an epoch, and
where it is no longer known, it is infinite: no floor holds there."""


def no_floor(stop: int) -> float:  # noqa: ARG001 - it is the same everywhere
    """Return an infinite power, which lies above every floor: a `PowerAt` for work that has no floor."""
    return float("inf")


@dataclass
class LoudnessState:
    """State of a `Loudness`.

    Attributes
    ----------
    powers : float64 array, shape (1 + MEAN_PIECES + number of pieces in WINDOW_S,)
        Sum of squares of the piece that goes on; powers (mean squares, where full scale is 1) of the last
        `MEAN_PIECES` pieces, the latest last; means of such powers at the end of each piece of the last `WINDOW_S`,
        the latest last. They lie in one array, since a compiled function that is called for each block takes longer
        for each array that it is given.
    count : int
        Number of samples of the piece that goes on.
    loudest : list of float
        Greatest mean power of the last `WINDOW_S`, at the end of each piece that may still be asked for.
    first : int
        Number of the first of these pieces, from 0 at the start of the epoch.
    """

    powers: Array
    count: int = 0
    loudest: list[float] = field(default_factory=list)
    first: int = 0


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

    def init(self) -> LoudnessState:
        """Return the state at the start of an epoch, before its first sample: all powers are 0."""
        return LoudnessState(np.zeros(1 + MEAN_PIECES + round(WINDOW_S / PIECE_S)))

    def step(self, mono: Array, known_until: int, state: LoudnessState) -> None:
        """Take samples.

        Parameters
        ----------
        mono : float32 array, shape (samples,)
            Next samples at the captured rate, one channel; full scale is -1 to 1.
        known_until : int
            Sample before which nothing will be asked for any more, or at most for the last `KEPT_PIECES` before it.
        state : LoudnessState
            Updated.
        """
        piece = self._piece_samples
        pieces, count = divmod(state.count + len(mono), piece)
        fresh = np.empty(pieces)
        _measure(mono, state.powers, state.count, piece, fresh)
        state.count = count
        asked = known_until // piece - 1 - KEPT_PIECES
        past = min(len(state.loudest), asked - state.first)
        if past > 0:
            del state.loudest[:past]
            state.first += past
        state.loudest += fresh.tolist()

    def power_at(self, stop: int, state: LoudnessState) -> float:
        """Return the mean square of the loudest 0.1 s in the last second before sample `stop` (see `PowerAt`)."""
        piece = stop // self._piece_samples - 1 - state.first
        return state.loudest[piece] if piece >= 0 else float("inf")


@kernel("const float32[:], float64[:], int, int, float64[:]")
def _measure(mono: Array, powers: Array, counted: int, piece: int, loudest: Array) -> None:
    pieces, recent = powers[1 : 1 + MEAN_PIECES], powers[1 + MEAN_PIECES :]
    total, k = powers[0], 0
    for i in range(len(mono)):
        value = np.float64(mono[i])
        total += value * value
        counted += 1
        if counted == piece:
            _append(pieces, total / piece)
            _append(recent, pieces.mean())
            loudest[k] = recent[0]
            for power in recent:
                loudest[k] = max(loudest[k], power)
            k, counted, total = k + 1, 0, 0.0
    powers[0] = total


@helper
def _append(values: Array, latest: float) -> None:
    """Move all values one place forward and put `latest` last."""
    for i in range(len(values) - 1):
        values[i] = values[i + 1]
    values[-1] = latest
