"""Sample-rate conversion as a stage: a band-limiting filter, evaluated where the new samples lie."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil, floor, gcd

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.resample_kernel import resample
from streamer.dsp.stage import Stage
from streamer.errors import ConfigError

STOPBAND_DB = 100.0
"""What is above the lower rate's Nyquist frequency is softer by this."""
PASSBAND = 15 / 16
"""Of the lower rate's Nyquist frequency: what is below is kept."""
KAISER_BETA = 0.1102 * (STOPBAND_DB - 8.7)
"""Kaiser (1974); Oppenheim and Schafer, "Discrete-Time Signal Processing", 3rd ed., eq. 7.75."""
REACH_ITEMS = ceil((STOPBAND_DB - 7.95) / (2.285 * np.pi * (1 - PASSBAND)) / 2)
"""How far the filter looks to either side, in samples of the lower rate; eq. 7.76 there: 103, or 6.4 ms of 16 kHz."""


@dataclass(frozen=True)
class Resample(Stage):
    """Samples at one rate to samples at another.

    Output sample ``k`` lies at input sample ``k * hop``; ``n`` input samples give ``floor(n / hop + 1/2)`` output
    samples, flush included. Equal rates pass through untouched.

    Each output is a sum over the input around it, weighted by a windowed sinc: late by the window's half and nothing
    else, the same however the input was cut, and the state is plain arrays. A resampling library's streams are none of
    these: soxr's hold sound back and give it out in bursts, 38 ms late from 48 kHz, and their state cannot be seen.

    Parameters
    ----------
    in_rate_hz, out_rate_hz : int
        1 or more. Their ratio decides how many filters there are, at most `out_rate_hz`; of the usual rates, 1 to 320.

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
    def key(self) -> Hashable:
        return Resample, self.in_rate_hz, self.out_rate_hz

    @property
    def hop(self) -> Fraction:
        return Fraction(self.in_rate_hz, self.out_rate_hz)

    @property
    def latency(self) -> Fraction:
        return Fraction(1 if self._untouched else self._reach + 1)

    @property
    def _untouched(self) -> bool:
        return self.in_rate_hz == self.out_rate_hz

    @cached_property
    def _reach(self) -> int:
        """How far the filter looks, in input samples."""
        return _reach(self.in_rate_hz, self.out_rate_hz)

    @cached_property
    def _ratio(self) -> tuple[int, int]:
        """`hop` as whole numbers: fractions would cost about as much as the sums."""
        return self.hop.numerator, self.hop.denominator

    def taken_for(self, stop: int) -> int:
        """How many samples are in when all resampled ones that lie before input sample `stop` are made; 1 or more."""
        hop, per_hop = self._ratio
        last = (stop * per_hop - 1) // hop
        return last * hop // per_hop + (1 if self._untouched else self._reach + 1)

    def init(self, batch: int = 1) -> State:
        """State of `batch` streams: input that is still needed, and samples taken and given; before all is silence."""
        held = 0 if self._untouched else 2 * self._reach - 1
        return np.zeros((batch, held), np.float32), np.zeros((batch, 2), np.int64)

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
        if self._untouched:
            return x, state
        held, counts = state
        taken, given = counts[0].tolist()
        first = self._first(given)
        x = np.concatenate([held[:, : taken - first], x], axis=1)
        taken = first + x.shape[1]
        # An output is made once the last input that its filter looks at is there.
        hop, per_hop = self._ratio
        stop = max(given, -((self._reach - taken) * per_hop // hop))
        y = self._made(x, given, stop)
        rest = x[:, self._first(stop) - first :]
        held[:, : rest.shape[1]] = rest
        counts[:] = taken, stop
        return y, state

    def flush(self, state: State) -> Array:
        """Give the samples that wait for input that will not come: what comes after it counts as zero."""
        held, counts = state
        taken, given = counts[0].tolist()
        total = floor(taken / self.hop + Fraction(1, 2))
        if self._untouched or given >= total:
            return np.zeros((len(held), 0), np.float32)
        silence = np.zeros((len(held), 2 * self._reach), np.float32)
        return self._made(
            np.concatenate([held[:, : taken - self._first(given)], silence], axis=1), given, total
        )

    def _first(self, k: int) -> int:
        """The first input sample that output `k` needs; it may lie before the sound."""
        hop, per_hop = self._ratio
        return k * hop // per_hop - self._reach + 1

    def _made(self, x: Array, given: int, stop: int) -> Array:
        """Output samples `given` to `stop`, out of the input from the first one on that they need."""
        y = np.empty((len(x), stop - given), np.float32)
        resample(x, y, given, self._ratio[0], _filters(self.in_rate_hz, self.out_rate_hz))
        return y


def _reach(in_rate_hz: int, out_rate_hz: int) -> int:
    return ceil(REACH_ITEMS * Fraction(in_rate_hz, min(in_rate_hz, out_rate_hz)))


@lru_cache(maxsize=16)
def _filters(in_rate_hz: int, out_rate_hz: int) -> Array:
    """A filter for each place that an output can have between two inputs: float32, shape (places, 2 * reach).

    Shared by all streams of a rate. Each lets a constant through as it is.
    """
    reach, places = _reach(in_rate_hz, out_rate_hz), out_rate_hz // gcd(in_rate_hz, out_rate_hz)
    lower = min(in_rate_hz, out_rate_hz) / in_rate_hz
    cutoff = lower * (1 + PASSBAND) / 2  # of the input's Nyquist frequency: the middle of the transition
    away = np.arange(1 - reach, reach + 1) - np.arange(places)[:, None] / places
    inside = np.sqrt(np.maximum(0.0, 1 - (away / reach) ** 2))
    taps = np.sinc(cutoff * away) * np.i0(KAISER_BETA * inside)
    filters: Array = taps / taps.sum(axis=1, keepdims=True)
    return filters.astype(np.float32)
