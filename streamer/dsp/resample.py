"""Convert the sample rate, as a stage: evaluate a low-pass filter at the positions of the new samples."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil, floor, gcd

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.ragged import Ragged, allocated, filled
from streamer.dsp.resample_kernel import resample
from streamer.dsp.stage import Stage, step_by_rows
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
        return Fraction(self.ahead)

    @property
    def _untouched(self) -> bool:
        return self.in_rate_hz == self.out_rate_hz

    @cached_property
    def _reach(self) -> int:
        """Half the filter's length, in input samples."""
        return _reach(self.in_rate_hz, self.out_rate_hz)

    @cached_property
    def ratio(self) -> tuple[int, int]:
        """Numerator and denominator of `hop`; arithmetic with fractions would cost about as much as the filter."""
        return self.hop.numerator, self.hop.denominator

    @property
    def ahead(self) -> int:
        """Number of input samples, from the one at which an output sample lies on, that must come in for it."""
        return 1 if self._untouched else self._reach + 1

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
        return step_by_rows(self, x, state)

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        if self._untouched:
            return x
        hop, per_hop = self.ratio
        held, done = state
        y, counts = allocated(len(rows), x.most * per_hop // hop + 1)
        sound = np.empty(held.shape[1] + x.most, np.float32)
        filters = _filters(self.in_rate_hz, self.out_rate_hz)
        resample(x.values, x.counts, rows, held, done, hop, filters, sound, y, counts)
        return filled(y, counts)

    def flush(self, state: State) -> Array:
        """Return the remaining output samples; the input after the end counts as zero."""
        taken, given = state[1][0].tolist()
        left = floor(taken / self.hop + Fraction(1, 2)) - given
        streams = len(state[0])
        if self._untouched or left <= 0:
            return np.zeros((streams, 0), np.float32)
        return self.step(np.zeros((streams, 2 * self._reach), np.float32), state)[0][:, :left]


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
