"""Add noise of any colour to sound."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from train.augment.levels import mix_at_snr, set_level
from train.data.decode import RATE_HZ
from train.data.sets.synthetic import coloured_noise, gaussian_noise

COLOURS = {"white": 0.0, "pink": 0.5, "brown": 1.0, "blue": -0.5, "violet": -1.0}
"""Exponents of 1 / frequency, to which the amplitude is proportional: pink falls by 3 dB per octave, brown by 6, blue
rises by 3."""


def add_noise(rng: np.random.Generator, x: Array, noise_db: float) -> Array:
    """Return a sound at 16 kHz with noise of a random colour added, at an active level of `noise_db` dBFS."""
    return x + set_level(coloured_noise(rng, len(x)), noise_db)


def add_noise_at_snr(
    rng: np.random.Generator, x: Array, snr_db: float, exponent: float = 0.0, rate_hz: int = RATE_HZ
) -> Array:
    """Return a sound with steady noise added that is `snr_db` dB softer, by active levels.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    x : float32 array, shape (samples,)
        Sound; full scale is -1 to 1.
    snr_db : float
        Level of the sound re the noise, in dB.
    exponent : float
        Colour of the noise, see `COLOURS`; white by default.
    rate_hz : int
        Sample rate of the sound, in hertz.
    """
    return mix_at_snr(x, gaussian_noise(rng, len(x), exponent, rate_hz), snr_db, rate_hz)
