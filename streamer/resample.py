"""Sample-rate conversion as a stage: soxr's streaming resampler, one a stream."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil

import numpy as np
import soxr

from streamer.errors import ConfigError
from streamer.stage import Array, Stage, State

QUALITY = "MQ"
"""soxr's 16-bit precision: more than 100 dB against aliases, 0.5 dB down at 15/16 of the new Nyquist.

``HQ`` (20 bit) gains nothing that 16-bit sound could show, and from 96 kHz down to 16 kHz it holds back 79 ms
of sound where ``MQ`` holds back 38 ms.
"""

MEASURED_S = 0.5
"""How much silence is resampled to learn the latency; two bursts at the least, which is at 4 kHz."""

PHASE_MARGIN_ITEMS = 2
"""Added to the measured latency, in output items: bursts fall on drifting phases of an uneven ratio, and not
every phase occurs within `MEASURED_S`."""


@dataclass(frozen=True)
class Resample(Stage):
    """Samples at one rate to samples at another.

    soxr makes up for the delay of its own filters, so that output sample ``k`` lies at input sample
    ``k * hop``. It transforms fixed lengths of input and gives out their result at once: the output comes in
    bursts (every 31 ms from 48 kHz to 16 kHz), whose values and places do not depend on how the input was
    cut. ``n`` input samples give ``floor(n / hop + 1/2)`` output samples, flush included. Equal rates pass
    through untouched.

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

    @cached_property
    def latency(self) -> Fraction:
        """Input items before output item 0 at most, measured: libsoxr does not tell its block lengths.

        When soxr gives out how much depends on counts alone, never on values, so silence shows it. Fed in
        pieces of one output item, no piece hides more than that item's worth of input.
        """
        if self.in_rate_hz == self.out_rate_hz:
            return Fraction(1)
        stream = self._new_stream()
        piece = np.zeros(ceil(self.hop), np.float32)
        latency, fed, given = Fraction(0), 0, 0
        while fed < MEASURED_S * self.in_rate_hz or not given:
            fed += len(piece)
            burst = len(stream.resample_chunk(piece))
            if burst:
                latency = max(latency, fed - given * self.hop)
                given += burst
        return latency + PHASE_MARGIN_ITEMS * self.hop

    def init(self, batch: int = 1) -> State:
        """State of `batch` streams: an object array of soxr's own states, of None where rates are equal."""
        streams = np.full(batch, None, object)
        if self.in_rate_hz != self.out_rate_hz:
            for slot in range(batch):
                streams[slot] = self._new_stream()
        return (streams,)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Take samples, give the resampled ones that they complete.

        Parameters
        ----------
        x : float32 array, shape (batch, samples)
            Finite: a single NaN silences a whole burst.
        state : State
            As of `init` or the last step.

        Returns
        -------
        y : float32 array, shape (batch, samples_out)
        state : State
        """
        return self._resampled(x, state, last=False), state

    def flush(self, state: State) -> Array:
        """Give the samples that wait for input that will not come: those after it count as zero."""
        return self._resampled(np.zeros((len(state[0]), 0), np.float32), state, last=True)

    def _resampled(self, x: Array, state: State, last: bool) -> Array:
        if self.in_rate_hz == self.out_rate_hz:
            return x
        (streams,) = state
        slots = zip(streams, np.ascontiguousarray(x), strict=True)
        return np.stack([stream.resample_chunk(samples, last) for stream, samples in slots])

    def _new_stream(self) -> soxr.ResampleStream:
        return soxr.ResampleStream(self.in_rate_hz, self.out_rate_hz, 1, np.float32, QUALITY)
