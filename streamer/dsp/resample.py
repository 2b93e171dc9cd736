"""Convert the sample rate, as a stage: evaluate a low-pass filter at the positions of the new samples."""

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
"""Attenuation of what lies above the lower rate's Nyquist frequency."""
PASSBAND = 15 / 16
"""Share of the lower rate's Nyquist frequency below which sound is kept."""
KAISER_BETA = 0.1102 * (STOPBAND_DB - 8.7)
"""Shape of the Kaiser window: Oppenheim and Schafer, "Discrete-Time Signal Processing", 3rd ed., eq. 7.75."""
REACH_ITEMS = ceil((STOPBAND_DB - 7.95) / (2.285 * np.pi * (1 - PASSBAND)) / 2)
"""Half the filter's length in samples of the lower rate, eq. 7.76 there: 103, which is 6.4 ms at 16 kHz."""


@dataclass(frozen=True)
class Resample(Stage):
    """Stage that turns samples at one rate into samples at another.

    Output sample ``k`` lies at input sample ``k * hop``; ``n`` input samples give ``floor(n / hop + 1/2)`` output
    samples, flush included. Equal rates pass through unchanged.

    Each output is the sum of the input around it, weighted by a windowed sinc. So it is late by half the window and
    no more, it is the same however the input is cut into blocks, and the state is plain arrays. The streams of a
    resampling library have none of these properties: soxr's hold sound back and return it in bursts, 38 ms late from
    48 kHz, and hide their state (docs/history.md).

    Parameters
    ----------
    in_rate_hz, out_rate_hz : int
        Sample rates, 1 or more. Their ratio decides the number of filters: at most `out_rate_hz`, and 1 to 320 for
        the usual rates.

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
        """Half the filter's length, in input samples."""
        return _reach(self.in_rate_hz, self.out_rate_hz)

    @cached_property
    def _ratio(self) -> tuple[int, int]:
        """Numerator and denominator of `hop`; arithmetic with fractions would cost about as much as the filter."""
        return self.hop.numerator, self.hop.denominator

    def taken_for(self, stop: int) -> int:
        """Return how many input samples must come in for all output samples that lie before input sample `stop`."""
        hop, per_hop = self._ratio
        last = (stop * per_hop - 1) // hop
        return last * hop // per_hop + (1 if self._untouched else self._reach + 1)

    def init(self, batch: int = 1) -> State:
        """Return the state of `batch` streams at their start: stored input, and counts of samples taken and given.

        The input before the first sample is silence.
        """
        held = 0 if self._untouched else 2 * self._reach - 1
        return np.zeros((batch, held), np.float32), np.zeros((batch, 2), np.int64)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return the output samples that `x` completes.

        Parameters
        ----------
        x : float32 array, shape (batch, samples)
            The next input samples. They must be finite: a NaN spreads to all outputs within half a filter of it.
        state : State
            State from `init` or the last `step`.

        Returns
        -------
        y : float32 array, shape (batch, samples_out)
            The output samples.
        state : State
            State for the next `step`.
        """
        if self._untouched:
            return x, state
        held, counts = state
        taken, given = counts[0].tolist()
        first = self._first(given)
        x = np.concatenate([held[:, : taken - first], x], axis=1)
        taken = first + x.shape[1]
        # An output is computed once the last input that its filter covers is there.
        hop, per_hop = self._ratio
        stop = max(given, -((self._reach - taken) * per_hop // hop))
        y = self._compute(x, given, stop)
        rest = x[:, self._first(stop) - first :]
        held[:, : rest.shape[1]] = rest
        counts[:] = taken, stop
        return y, state

    def flush(self, state: State) -> Array:
        """Return the remaining output samples; the input after the end counts as zero."""
        held, counts = state
        taken, given = counts[0].tolist()
        total = floor(taken / self.hop + Fraction(1, 2))
        if self._untouched or given >= total:
            return np.zeros((len(held), 0), np.float32)
        silence = np.zeros((len(held), 2 * self._reach), np.float32)
        return self._compute(
            np.concatenate([held[:, : taken - self._first(given)], silence], axis=1), given, total
        )

    def _first(self, k: int) -> int:
        """Return the first input sample that output `k` needs; it may lie before the first one."""
        hop, per_hop = self._ratio
        return k * hop // per_hop - self._reach + 1

    def _compute(self, x: Array, given: int, stop: int) -> Array:
        """Return output samples `given` to `stop`; `x` begins with the first input sample that they need."""
        y = np.empty((len(x), stop - given), np.float32)
        resample(x, y, given, self._ratio[0], _filters(self.in_rate_hz, self.out_rate_hz))
        return y


def _reach(in_rate_hz: int, out_rate_hz: int) -> int:
    return ceil(REACH_ITEMS * Fraction(in_rate_hz, min(in_rate_hz, out_rate_hz)))


@lru_cache(maxsize=16)
def _filters(in_rate_hz: int, out_rate_hz: int) -> Array:
    """Return one filter for each position that an output can have between two inputs.

    All streams with the same rates share them. Each filter has the sum 1, so a constant passes unchanged.

    Returns
    -------
    float32 array, shape (places, 2 * reach)
    """
    reach, places = _reach(in_rate_hz, out_rate_hz), out_rate_hz // gcd(in_rate_hz, out_rate_hz)
    lower = min(in_rate_hz, out_rate_hz) / in_rate_hz
    cutoff = (
        lower * (1 + PASSBAND) / 2
    )  # share of the input's Nyquist frequency, in the middle of the transition band
    away = np.arange(1 - reach, reach + 1) - np.arange(places)[:, None] / places
    inside = np.sqrt(np.maximum(0.0, 1 - (away / reach) ** 2))
    taps = np.sinc(cutoff * away) * np.i0(KAISER_BETA * inside)
    filters: Array = taps / taps.sum(axis=1, keepdims=True)
    return filters.astype(np.float32)
