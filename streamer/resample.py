"""Sample-rate conversion as a stage: soxr over short pieces of sound and their neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, gcd

import numpy as np
import soxr

from streamer.errors import ConfigError
from streamer.stage import Array, Stage, State

QUALITY = "MQ"
"""soxr's 16-bit precision: more than 100 dB against aliases, 0.5 dB down at 15/16 of the new Nyquist."""

PIECES_PER_S = 100
"""Pieces are 10 ms long: what soxr costs for each call, against how late the first sample of a piece is."""

REACH_ITEMS = 96
"""How far soxr's filter looks to either side, in samples of the lower rate; beyond, its ``MQ`` has no weight that
would show in 24 bits (`tests/test_resample.py` measures it)."""


@dataclass(frozen=True)
class Resample(Stage):
    """Samples at one rate to samples at another.

    Output sample ``k`` lies at input sample ``k * hop``; ``n`` input samples give ``floor(n / hop + 1/2)`` output
    samples, flush included. Equal rates pass through untouched.

    soxr's own streams hold sound back and give it out in bursts, 38 ms late at 48 kHz and 59 ms at 32 kHz, and
    their state cannot be seen. Here each piece of output is made by itself, out of the input that it spans and as
    much on either side as the filter reaches: it is late by its length and that reach (16 ms to 16 kHz), its
    values do not depend on how the input was cut, and the state is plain arrays.

    Parameters
    ----------
    in_rate_hz, out_rate_hz : int
        1 or more.

    Raises
    ------
    ConfigError
        If a rate is below 1 Hz.
    """

    in_rate_hz: int
    out_rate_hz: int

    def __post_init__(self) -> None:
        if min(self.in_rate_hz, self.out_rate_hz) < 1:
            raise ConfigError(
                f"resampling was asked from {self.in_rate_hz} Hz to {self.out_rate_hz} Hz; "
                "expected rates of 1 Hz or more"
            )

    @property
    def hop(self) -> Fraction:
        return Fraction(self.in_rate_hz, self.out_rate_hz)

    @property
    def latency(self) -> Fraction:
        if self.in_rate_hz == self.out_rate_hz:
            return Fraction(1)
        # The end of a piece is rounded up to a whole input sample; this is the most that it is rounded by.
        per_piece = self._piece_items * self.hop
        rounding = Fraction(per_piece.denominator - 1, per_piece.denominator)
        return per_piece + rounding + self._reach

    @property
    def _piece_items(self) -> int:
        return max(1, self.out_rate_hz // PIECES_PER_S)

    @cached_property
    def _reach(self) -> int:
        """How far the filter looks, in input samples."""
        return ceil(REACH_ITEMS * self.in_rate_hz / min(self.in_rate_hz, self.out_rate_hz))

    @cached_property
    def _grid(self) -> tuple[int, int]:
        """The shortest run of input samples that makes whole output samples, and how many."""
        common = gcd(self.in_rate_hz, self.out_rate_hz)
        return self.in_rate_hz // common, self.out_rate_hz // common

    def init(self, batch: int = 1) -> State:
        """State of `batch` streams: input that is still needed, how much that is, samples taken and given."""
        held = 0
        if self.in_rate_hz != self.out_rate_hz:
            held = ceil(self._piece_items * self.hop) + 2 * self._reach + self._grid[0] + 2
        return np.zeros((batch, held), np.float32), np.zeros((batch, 3), np.int64)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Take samples, give the resampled ones that they complete.

        Parameters
        ----------
        x : float32 array, shape (batch, samples)
            Finite: a NaN silences its neighbourhood.
        state : State
            As of `init` or the last step.

        Returns
        -------
        y : float32 array, shape (batch, samples_out)
        state : State
        """
        if self.in_rate_hz == self.out_rate_hz:
            return x, state
        held, counts = state
        waiting, taken, given = counts[0].tolist()
        x = np.concatenate([held[:, :waiting], x], axis=1)
        first = taken - waiting
        taken = first + x.shape[1]
        pieces = [np.zeros((len(x), 0), np.float32)]
        while (stop := self._needed(given + self._piece_items)) <= taken:
            start = self._start(given)
            pieces.append(self._piece(x[:, start - first : stop - first], start, given, self._piece_items))
            given += self._piece_items
        rest = x[:, self._start(given) - first :]
        held[:, : rest.shape[1]] = rest
        counts[:] = rest.shape[1], taken, given
        return np.concatenate(pieces, axis=1), state

    def flush(self, state: State) -> Array:
        """Give the samples that wait for input that will not come: those after it count as zero."""
        held, counts = state
        waiting, taken, given = counts[0].tolist()
        total = floor(taken / self.hop + Fraction(1, 2))
        if self.in_rate_hz == self.out_rate_hz or given >= total:
            return np.zeros((len(held), 0), np.float32)
        x = np.pad(held[:, :waiting], ((0, 0), (0, self._needed(total) - taken)))
        return self._piece(x, self._start(given), given, total - given)

    def _start(self, k: int) -> int:
        """Input sample to begin at for output from `k` on: on the grid, so that the two rates are in step."""
        period = self._grid[0]
        return max(0, (floor(k * self.hop) - self._reach) // period * period)

    def _needed(self, stop: int) -> int:
        """How many input samples make the output before `stop`."""
        return ceil(stop * self.hop) + self._reach

    def _piece(self, x: Array, start: int, given: int, items: int) -> Array:
        """Output samples `given` on, out of the input from `start` on."""
        y = soxr.resample(x.T if len(x) > 1 else x[0], self.in_rate_hz, self.out_rate_hz, QUALITY)
        period, made = self._grid
        first = given - start // period * made
        return np.atleast_2d(y.T)[:, first : first + items]
