"""What happens to sound between its source and a microphone: speed, filters, rooms, noise, level, converters.

All functions take and give float32 samples at 16 kHz, full scale -1 to 1, and never change their input.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve, lfilter

from streamer.stage import Array
from train.data.cache import RATE_HZ
from train.data.synthetic import coloured_noise

LEVEL_BLOCK = RATE_HZ // 10
"""Levels are of blocks of 100 ms: shorter than a syllable, longer than a bass note's period."""


def from_db(db: float) -> float:
    """Decibels of amplitude to a factor."""
    return float(10.0 ** (db / 20.0))


def block_levels(x: Array) -> Array:
    """RMS of each 100 ms block, shape (blocks,); the last may be short."""
    edges = np.arange(0, len(x), LEVEL_BLOCK)
    lengths = np.diff(np.append(edges, len(x)))
    return np.sqrt(np.add.reduceat(np.square(x, dtype=np.float64), edges) / lengths)


def active_level(x: Array) -> float:
    """RMS over the blocks that are within 30 dB of the loudest, so that pauses do not count; 0 if silent."""
    if not len(x):
        return 0.0
    levels = block_levels(x)
    loud = levels[levels >= levels.max() * from_db(-30)]
    return float(np.sqrt(np.mean(np.square(loud))))


def at_level(x: Array, level_db: float) -> Array:
    """Scale so that the active level is `level_db` dB re full scale; silence stays silent."""
    level = active_level(x)
    return x * np.float32(from_db(level_db) / level) if level > 0 else x


def audible(x: Array, range_db: float = 40.0) -> Array:
    """Where something sounds: within 300 ms of a block that is within `range_db` of the loudest.

    Returns
    -------
    bool array, shape of `x`
    """
    if not len(x):
        return np.zeros(0, bool)
    levels = block_levels(x)
    loud = (levels >= levels.max() * from_db(-range_db)) & (levels > 0)
    near = np.convolve(loud, np.ones(7), mode="full")[3 : 3 + len(loud)] > 0
    return np.repeat(near, LEVEL_BLOCK)[: len(x)]


def change_speed(x: Array, factor: float) -> Array:
    """Play faster (factor above 1) or slower, pitch included, by linear interpolation."""
    places = np.arange(0, len(x) - 1, factor)
    return np.interp(places, np.arange(len(x)), x).astype(np.float32)


def random_filter(rng: np.random.Generator, x: Array) -> Array:
    """Colour as loudspeakers, microphones and telephones do: one-pole low or high cut, or a gentle resonance."""
    kind = rng.integers(3)
    if kind == 0:  # low-pass, from a telephone's band on
        a = np.exp(-2 * np.pi * np.exp(rng.uniform(np.log(1_500), np.log(7_000))) / RATE_HZ)
        y = lfilter([1 - a], [1, -a], x)
    elif kind == 1:  # high-pass, as small loudspeakers
        a = np.exp(-2 * np.pi * np.exp(rng.uniform(np.log(60), np.log(500))) / RATE_HZ)
        y = lfilter([1, -1], [1, -a], x)
    else:  # two-pole resonance mixed with the dry sound
        radius, angle = rng.uniform(0.7, 0.97), np.pi * rng.uniform(0.02, 0.9)
        y = x + rng.uniform(0.2, 1.0) * lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], x)
    return y.astype(np.float32)


def reverberate(rng: np.random.Generator, x: Array) -> Array:
    """Sound in a made-up room: the direct sound, and noise that decays by 60 dB in 0.1 to 0.8 s."""
    decay_s = rng.uniform(0.1, 0.8)
    t = np.arange(int(decay_s * RATE_HZ), dtype=np.float32) / RATE_HZ
    tail = rng.standard_normal(len(t), np.float32) * np.float32(10.0) ** (-3.0 * t / decay_s)
    tail *= np.float32(from_db(rng.uniform(-12.0, 3.0)) / np.linalg.norm(tail))
    tail[0] = 1.0
    return fftconvolve(x, tail)[: len(x)].astype(np.float32)


def add_noise(rng: np.random.Generator, x: Array, noise_db: float) -> Array:
    """Add coloured noise at an active level of `noise_db` dB re full scale."""
    return x + at_level(coloured_noise(rng, len(x)), noise_db)


def quantise(x: Array, bits: int) -> Array:
    """Round to `bits` bits, as old recordings and converters do."""
    scale = np.float32(2.0 ** (bits - 1))
    return np.round(x * scale) / scale


def clip(x: Array) -> Array:
    """What a converter leaves of sound beyond full scale."""
    return np.clip(x, -1.0, 1.0)
