"""Change voices and mixtures as studios do: a doubled voice, and gains of compression and saturation."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from train.augment.levels import db_to_amplitude
from train.augment.speed import change_speed, fit_length, shift
from train.data.decode import RATE_HZ

BLOCK_S = 0.01
"""Length of the blocks by whose level a compressor sets its gain."""
ATTACK_S, RELEASE_S = 0.01, 0.15
"""Times in which the gain follows a level that rises, and one that falls."""
DELAY_S = (0.01, 0.04)
"""Least and longest delay of the second voice: so short that it is heard as one with the first."""
DETUNED = 0.006
"""Largest change of its speed, up or down: 10 cents."""


def double_voice(rng: np.random.Generator, voice: Array, rate_hz: int = RATE_HZ) -> Array:
    """Return a voice with itself added a little later, detuned and 3 to 9 dB softer, as if it were sung twice.

    Parameters
    ----------
    rng : Generator
        Generator of delay, detuning and level.
    voice : float32 array, shape (samples,)
        Voice alone.
    rate_hz : int
        Sample rate of the voice, in hertz.
    """
    second = fit_length(change_speed(voice, 1 + rng.uniform(-DETUNED, DETUNED)), len(voice))
    later = shift(second, int(rng.uniform(*DELAY_S) * rate_hz))
    return voice + later * np.float32(db_to_amplitude(-rng.uniform(3.0, 9.0)))


def compression_gain(mixture: Array, above_db: float, ratio: float, rate_hz: int = RATE_HZ) -> Array:
    """Return the gain of a compressor at each sample, at most 1.

    Stems that are multiplied by it add up to the compressed mixture.

    Parameters
    ----------
    mixture : float32 array, shape (samples,)
        Mixture that the compressor hears.
    above_db : float
        Level re the loudest block, below 0, from which the gain falls.
    ratio : float
        Decibels of the sound for one of the compressed sound, 1 or more.
    rate_hz : int
        Sample rate of the mixture, in hertz.
    """
    block = max(1, int(BLOCK_S * rate_hz))
    power = np.pad(np.square(mixture, dtype=np.float64), (0, -len(mixture) % block))
    levels = _followed(np.sqrt(power.reshape(-1, block).mean(axis=1)))
    if not levels.any():
        return np.ones_like(mixture)
    over = np.maximum(levels / (levels.max() * db_to_amplitude(above_db)), 1.0)
    gains = over ** (1.0 / ratio - 1.0)
    middles = (np.arange(len(gains)) + 0.5) * block
    gain: Array = np.interp(np.arange(len(mixture)), middles, gains).astype(np.float32)
    return gain


def saturation_gain(mixture: Array, drive_db: float) -> Array:
    """Return the gain at each sample, at most 1, of a soft limiter that is driven `drive_db` dB above its limit.

    Stems that are multiplied by it add up to the limited mixture; like it, they are distorted where it is loud.

    Parameters
    ----------
    mixture : float32 array, shape (samples,)
        Mixture that is limited.
    drive_db : float
        Level of its peak re the limit.
    """
    peak = float(np.abs(mixture).max(initial=0.0))
    if peak == 0:
        return np.ones_like(mixture)
    driven = mixture * np.float32(db_to_amplitude(drive_db) / peak)
    small = np.abs(driven) < 1e-4
    gain: Array = np.where(small, 1.0, np.tanh(driven) / np.where(small, 1.0, driven)).astype(np.float32)
    return gain


def _followed(levels: Array) -> Array:
    """Return levels of blocks smoothed, faster where they rise than where they fall."""
    rise, fall = (1 - np.exp(-BLOCK_S / time_s) for time_s in (ATTACK_S, RELEASE_S))
    found, now = np.empty_like(levels), 0.0
    for n, level in enumerate(levels):
        now += (rise if level > now else fall) * (level - now)
        found[n] = now
    return found
