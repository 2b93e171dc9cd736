"""Mix the channels of captured sound into one, as a stage: their mean, or one channel where they cancel each other.

If a channel is inverted, the mean of the channels is next to silence, and nothing that is heard after it would find
anything. So the channels' energy is compared with that of their mean in each window of the sample clock. A window in
which they cancel makes the channel with the most energy take the place of the mean from the next window on, until they
have not cancelled for a while. All sums are taken sample by sample, so that it does not matter how sound is cut into
blocks, and a constant offset of a channel does not count. Where nothing cancels, the mean is what is given, bit by bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.ragged import Ragged
from streamer.dsp.stage import Stage, step_by_rows
from streamer.kernels.kernel import helper, kernel

SAMPLE_LIMIT = 1e6
"""Largest magnitude of a valid sample. Larger samples, and NaN, are muted, so that no power overflows."""

WINDOW_S = 0.1
"""Length of a window: all that is lost of sound that cancels from its beginning on."""

FADE_S = 0.01
"""Length of the fade from one to the other, without which there would be a click."""

CANCELLED = 0.1
"""Energy of the mean, as a share of what it would be if the channels had nothing in common, below which they cancel. Of
two channels that are equally loud, it is 1 plus their correlation: ordinary stereo stays far above."""

CLEAR = 0.5
"""The same share from which on they do not."""

CLEAR_WINDOWS = 50
"""Number of such windows in a row after which the mean is given again."""

WEAK = 0.1
"""Share of the loudest channel's energy below which the chosen one is weak, as when it falls silent."""

WEAK_WINDOWS = 10
"""Number of such windows in a row after which the loudest one takes its place."""

AUDIBLE = 1e-9
"""Mean power of the channels (-90 dBFS) below which a window decides nothing."""

MEAN = -1
"""The mean of the channels, where otherwise the index of a channel stands."""

# Columns of the marks in the state.
COUNT, CHOSEN, BEFORE, FADED, CLEAR_COUNT, WEAK_COUNT, MUTED = range(7)


@dataclass(frozen=True)
class Downmix(Stage):
    """Stage that mixes the channels into one, normally by their mean; invalid samples count as zero.

    Parameters
    ----------
    rate_hz : int
        Sample rate of the sound.
    channels : int
        Number of channels of the sound; at least 1.
    """

    rate_hz: int
    channels: int

    @property
    def hop(self) -> Fraction:
        return Fraction(1)

    @property
    def latency(self) -> Fraction:
        return Fraction(1)

    def init(self, batch: int = 1) -> State:
        sums = np.zeros((batch, self.channels + 1, 2))
        marks = np.zeros((batch, 7), np.int64)
        marks[:, [CHOSEN, BEFORE]] = MEAN
        marks[:, FADED] = self._fade_samples
        return sums, marks

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return a mixed sample for each frame, and the next state.

        Parameters
        ----------
        x : float32 array, shape (batch, frames, channels)
            The next frames; full scale is -1 to 1.
        state : State
            Sums of the samples of a window and of their squares, for each channel and the mean, shape (batch,
            channels + 1, 2); and the choice of the channel with its counters, shape (batch, 7).

        Returns
        -------
        y : float32 array, shape (batch, frames)
            One sample for each frame, without delay.
        state : State
            State for the next `step`.
        """
        return step_by_rows(self, x, state)

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        sums, marks = state
        y = np.empty(x.values.shape[:2], np.float32)
        if self.channels == 1:
            _copy_valid(x.values, x.counts, rows, marks, y)
        else:
            _mix(x.values, x.counts, rows, sums, marks, self._window_samples, self._fade_samples, y)
        return Ragged(y, x.counts)

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0), np.float32)

    @cached_property
    def _window_samples(self) -> int:
        return max(1, round(WINDOW_S * self.rate_hz))

    @cached_property
    def _fade_samples(self) -> int:
        return max(1, round(FADE_S * self.rate_hz))


def muted_samples(state: State) -> Array:
    """Return how many samples of each stream were NaN, infinite or beyond `SAMPLE_LIMIT` since `Downmix.init`."""
    muted: Array = state[1][:, MUTED]
    return muted


def chosen_channels(state: State) -> Array:
    """Return the index of the one channel of each stream that is used because its channels cancel, `MEAN` if none."""
    chosen: Array = state[1][:, CHOSEN]
    return chosen


def downmixed(sound: Array, rate_hz: int) -> Array:
    """Return a whole sound mixed into one channel.

    Parameters
    ----------
    sound : float32 array, shape (samples, channels)
        Sound; full scale is -1 to 1.
    rate_hz : int
        Sample rate of the sound.

    Returns
    -------
    float32 array, shape (samples,)
    """
    stage = Downmix(rate_hz, sound.shape[1])
    return np.asarray(stage.step(np.ascontiguousarray(sound[None]), stage.init())[0][0])


@kernel("const float32[:,:,:], const int64[:], const int64[:], int64[:,:], float32[:,:]")
def _copy_valid(x: Array, counts: Array, rows: Array, marks: Array, y: Array) -> None:
    for n in range(len(rows)):
        for i in range(counts[n]):
            value = x[n, i, 0]
            if abs(value) <= SAMPLE_LIMIT:  # false for NaN
                y[n, i] = value
            else:
                y[n, i] = np.float32(0.0)
                marks[rows[n], MUTED] += 1


@kernel(
    "const float32[:,:,:], const int64[:], const int64[:], float64[:,:,:], int64[:,:], int, int, float32[:,:]"
)
def _mix(
    x: Array, counts: Array, rows: Array, sums: Array, marks: Array, window: int, fade: int, y: Array
) -> None:
    for n in range(len(rows)):
        _mix_row(x[n, : counts[n]], sums[rows[n]], marks[rows[n]], window, fade, y[n])


@helper
def _mix_row(x: Array, sums: Array, marks: Array, window: int, fade: int, y: Array) -> None:
    channels = x.shape[1]
    scale = np.float32(1.0 / channels)
    for i in range(x.shape[0]):
        total = np.float32(0.0)
        for c in range(channels):
            value = x[i, c]
            if abs(value) <= SAMPLE_LIMIT:  # false for NaN
                total += value
                wide = np.float64(value)
                sums[c, 0] += wide
                sums[c, 1] += wide * wide
            else:
                marks[MUTED] += 1
        mean = total * scale
        wide = np.float64(mean)
        sums[channels, 0] += wide
        sums[channels, 1] += wide * wide
        given = _sample_of(x[i], mean, marks[CHOSEN])
        if marks[FADED] < fade:
            marks[FADED] += 1
            share = np.float32(marks[FADED] / fade)
            given = share * given + (np.float32(1.0) - share) * _sample_of(x[i], mean, marks[BEFORE])
        y[i] = given
        marks[COUNT] += 1
        if marks[COUNT] == window:
            _decide(sums, marks, window)


@helper
def _sample_of(frame: Array, mean: np.float32, chosen: int) -> np.float32:
    if chosen == MEAN:
        return mean
    value = frame[chosen]
    return value if abs(value) <= SAMPLE_LIMIT else np.float32(0.0)


@helper
def _decide(sums: Array, marks: Array, window: int) -> None:
    """Choose what is given from the next window on, and start that."""
    channels = sums.shape[0] - 1
    loudest, most, there, of_chosen = 0, -1.0, 0.0, 0.0
    for c in range(channels):
        power = _power(sums[c], window)
        there += power
        if power > most:
            loudest, most = c, power
        if c == marks[CHOSEN]:
            of_chosen = power
    # Of channels that have nothing in common, the mean has a `channels`-th of the mean of their powers.
    share = _power(sums[channels], window) * channels * channels / max(there, 1e-30)
    sums[:] = 0.0
    marks[COUNT] = 0
    if there < AUDIBLE * channels:
        return
    if marks[CHOSEN] == MEAN:
        if share < CANCELLED:
            _choose(marks, loudest)
        return
    marks[CLEAR_COUNT] = marks[CLEAR_COUNT] + 1 if share >= CLEAR else 0
    marks[WEAK_COUNT] = marks[WEAK_COUNT] + 1 if of_chosen < WEAK * most else 0
    if marks[CLEAR_COUNT] == CLEAR_WINDOWS:
        _choose(marks, MEAN)
    elif marks[WEAK_COUNT] == WEAK_WINDOWS:
        _choose(marks, loudest)


@helper
def _power(sums: Array, window: int) -> float:
    """Return the mean square of a window without its constant part."""
    mean = sums[0] / window
    power: float = sums[1] / window - mean * mean
    return power


@helper
def _choose(marks: Array, chosen: int) -> None:
    marks[BEFORE], marks[CHOSEN] = marks[CHOSEN], chosen
    marks[FADED] = marks[CLEAR_COUNT] = marks[WEAK_COUNT] = 0
