"""Measure and change levels of sound."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from train.data.decode import RATE_HZ

BLOCK_S = 0.1
"""Length of the blocks whose level is measured: shorter than a syllable, longer than the period of a bass note."""


def db_to_amplitude(db: float) -> float:
    """Return the factor of amplitude that is equal to a gain in decibels: 20 dB are a factor of 10."""
    return float(10.0 ** (db / 20.0))


def block_levels(x: Array, rate_hz: int = RATE_HZ) -> Array:
    """Return the root mean square of each block of 100 ms, shape (blocks,); the last block may be shorter."""
    edges = np.arange(0, len(x), int(BLOCK_S * rate_hz))
    lengths = np.diff(np.append(edges, len(x)))
    return np.sqrt(np.add.reduceat(np.square(x, dtype=np.float64), edges) / lengths)


def active_level(x: Array, rate_hz: int = RATE_HZ) -> float:
    """Return the root mean square over all blocks within 30 dB of the loudest, without pauses; 0 for silence."""
    if not len(x):
        return 0.0
    levels = block_levels(x, rate_hz)
    loud = levels[levels >= levels.max() * db_to_amplitude(-30)]
    return float(np.sqrt(np.mean(np.square(loud))))


def set_level(x: Array, level_db: float, rate_hz: int = RATE_HZ) -> Array:
    """Return a sound scaled to an active level of `level_db` dB re full scale; silence stays silent."""
    level = active_level(x, rate_hz)
    return x * np.float32(db_to_amplitude(level_db) / level) if level > 0 else x


def apply_gain(x: Array, gain_db: float) -> Array:
    """Return a sound amplified by `gain_db` dB, without limiting it to full scale; see `clip`."""
    return x * np.float32(db_to_amplitude(gain_db))


def mix_at_snr(x: Array, background: Array, snr_db: float, rate_hz: int = RATE_HZ) -> Array:
    """Return a sound with a background added that is `snr_db` dB softer, by active levels.

    Parameters
    ----------
    x : float32 array, shape (samples,)
        Sound, whose level is kept. Silence has no signal-to-noise ratio and is returned unchanged.
    background : float32 array, shape (any,)
        Background of at least one sample, repeated or cut to the length of `x`.
    snr_db : float
        Signal-to-noise ratio; below 0 the background is louder.
    rate_hz : int
        Sample rate of the sound, in hertz.

    Returns
    -------
    float32 array, shape (samples,)
    """
    level, under = active_level(x, rate_hz), np.resize(background, len(x))
    if level == 0:
        return x.copy()
    return x + set_level(under, 20.0 * float(np.log10(level)) - snr_db, rate_hz)


def audible_mask(x: Array, range_db: float = 40.0, rate_hz: int = RATE_HZ) -> Array:
    """Return at which samples a sound is audible: within 300 ms of a block at most `range_db` below the loudest.

    Returns
    -------
    bool array, shape of `x`
    """
    if not len(x):
        return np.zeros(0, bool)
    levels = block_levels(x, rate_hz)
    loud = (levels >= levels.max() * db_to_amplitude(-range_db)) & (levels > 0)
    near = np.convolve(loud, np.ones(7), mode="full")[3 : 3 + len(loud)] > 0  # three blocks to either side
    return np.repeat(near, int(BLOCK_S * rate_hz))[: len(x)]


def quantise(x: Array, bits: int) -> Array:
    """Return a sound rounded to `bits` bits per sample, like an old recording or converter."""
    scale = np.float32(2.0 ** (bits - 1))
    return np.round(x * scale) / scale


def clip(x: Array) -> Array:
    """Return a sound limited to full scale, -1 to 1, like an overloaded converter."""
    return np.clip(x, -1.0, 1.0)
