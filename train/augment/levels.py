"""Levels of sound, and changes of them."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from train.data.decode import RATE_HZ

BLOCK_S = 0.1
"""Levels are of blocks of 100 ms: shorter than a syllable, longer than a bass note's period."""


def db_to_amplitude(db: float) -> float:
    """Decibels of amplitude to a factor."""
    return float(10.0 ** (db / 20.0))


def block_levels(x: Array, rate_hz: int = RATE_HZ) -> Array:
    """RMS of each 100 ms block, shape (blocks,); the last may be short."""
    edges = np.arange(0, len(x), int(BLOCK_S * rate_hz))
    lengths = np.diff(np.append(edges, len(x)))
    return np.sqrt(np.add.reduceat(np.square(x, dtype=np.float64), edges) / lengths)


def active_level(x: Array, rate_hz: int = RATE_HZ) -> float:
    """RMS over the blocks that are within 30 dB of the loudest, so that pauses do not count; 0 if silent."""
    if not len(x):
        return 0.0
    levels = block_levels(x, rate_hz)
    loud = levels[levels >= levels.max() * db_to_amplitude(-30)]
    return float(np.sqrt(np.mean(np.square(loud))))


def set_level(x: Array, level_db: float, rate_hz: int = RATE_HZ) -> Array:
    """Scale so that the active level is `level_db` dB re full scale; silence stays silent."""
    level = active_level(x, rate_hz)
    return x * np.float32(db_to_amplitude(level_db) / level) if level > 0 else x


def apply_gain(x: Array, gain_db: float) -> Array:
    """Louder by `gain_db` dB, with no limit at full scale; see `clip`."""
    return x * np.float32(db_to_amplitude(gain_db))


def mix_at_snr(x: Array, background: Array, snr_db: float, rate_hz: int = RATE_HZ) -> Array:
    """Sound over a background that is `snr_db` dB below it, by active levels.

    Parameters
    ----------
    x : float32 array, shape (samples,)
        Its level stays. Over silence there is no ratio: it stays silent.
    background : float32 array, shape (any,)
        Repeated, or cut, to the length of `x`; at least one sample.
    snr_db : float
        Below 0 the background is the louder.
    rate_hz : int

    Returns
    -------
    float32 array, shape (samples,)
    """
    level, under = active_level(x, rate_hz), np.resize(background, len(x))
    if level == 0:
        return x.copy()
    return x + set_level(under, 20.0 * float(np.log10(level)) - snr_db, rate_hz)


def audible_mask(x: Array, range_db: float = 40.0, rate_hz: int = RATE_HZ) -> Array:
    """Where something sounds: within 300 ms of a block that is within `range_db` of the loudest.

    Returns
    -------
    bool array, shape of `x`
    """
    if not len(x):
        return np.zeros(0, bool)
    levels = block_levels(x, rate_hz)
    loud = (levels >= levels.max() * db_to_amplitude(-range_db)) & (levels > 0)
    near = np.convolve(loud, np.ones(7), mode="full")[3 : 3 + len(loud)] > 0
    return np.repeat(near, int(BLOCK_S * rate_hz))[: len(x)]


def quantise(x: Array, bits: int) -> Array:
    """Round to `bits` bits, as old recordings and converters do."""
    scale = np.float32(2.0 ** (bits - 1))
    return np.round(x * scale) / scale


def clip(x: Array) -> Array:
    """What a converter leaves of sound beyond full scale."""
    return np.clip(x, -1.0, 1.0)
