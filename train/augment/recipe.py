"""Random changes of sound, in the order in which they happen on the way from a source to a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from streamer.arrays import Array
from train.augment.codecs import CODECS, mu_law, transcode
from train.augment.levels import apply_gain, clip, mix_at_snr
from train.augment.noise import add_noise_at_snr
from train.augment.rooms import far_microphone, limit_band, random_filter, reverberate
from train.augment.speed import change_pitch, change_speed, fit_length, shift
from train.data.decode import RATE_HZ

Background: TypeAlias = Callable[[np.random.Generator, int], Array]
"""``background(rng, samples)`` returns sound of `samples` samples at 16 kHz, to be mixed under another sound."""


@dataclass(frozen=True)
class Recipe:
    """Probabilities and sizes of the random changes of a clip; see `apply_recipe`.

    Attributes
    ----------
    speed, pitch, move, background, room, far, filter, noise, codec : float
        Probability of each change, 0 to 1. Room and far microphone exclude each other.
    gain_db : tuple of float
        Lowest and highest gain in dB; a gain is always applied.
    speed_factor : tuple of float
        Lowest and highest factor of the speed.
    pitch_semitones : float
        Largest change of pitch, up or down.
    move_s : float
        Largest shift in time, earlier or later, in seconds.
    background_db, noise_db : tuple of float
        Lowest and highest signal-to-noise ratio, in dB, of the clip against a background and against noise.
    """

    speed: float = 0.3
    pitch: float = 0.1
    move: float = 0.5
    background: float = 0.0
    room: float = 0.2
    far: float = 0.05
    filter: float = 0.3
    noise: float = 0.3
    codec: float = 0.05
    gain_db: tuple[float, float] = (-20.0, 6.0)
    speed_factor: tuple[float, float] = (0.9, 1.1)
    pitch_semitones: float = 2.0
    move_s: float = 0.5
    background_db: tuple[float, float] = (0.0, 25.0)
    noise_db: tuple[float, float] = (5.0, 40.0)


def apply_recipe(
    rng: np.random.Generator, x: Array, recipe: Recipe, background: Background | None = None
) -> Array:
    """Return a randomly changed copy of a clip, of the same length.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    x : float32 array, shape (samples,)
        Sound at 16 kHz.
    recipe : Recipe
        Probabilities and sizes of the changes.
    background : callable, optional
        Function that returns backgrounds, see `Background`; required if ``recipe.background`` is above 0.

    Returns
    -------
    float32 array, shape (samples,)

    Raises
    ------
    ValueError
        If the recipe asks for a background and none is given.
    """
    if recipe.background and background is None:
        raise ValueError(f"Recipe(background={recipe.background}) needs a background; expected a callable")
    y = _change_performance(rng, x, recipe)
    if background and rng.random() < recipe.background:
        y = mix_at_snr(y, background(rng, len(y)), rng.uniform(*recipe.background_db))
    return _change_recording(rng, y, recipe)


def _change_performance(rng: np.random.Generator, x: Array, recipe: Recipe) -> Array:
    """Change speed, pitch and position in time."""
    if rng.random() < recipe.speed:
        x = fit_length(change_speed(x, rng.uniform(*recipe.speed_factor)), len(x))
    if rng.random() < recipe.pitch:
        x = change_pitch(x, rng.uniform(-recipe.pitch_semitones, recipe.pitch_semitones))
    if rng.random() < recipe.move:
        x = shift(x, int(rng.uniform(-recipe.move_s, recipe.move_s) * RATE_HZ))
    return x


def _change_recording(rng: np.random.Generator, x: Array, recipe: Recipe) -> Array:
    """Change room, microphone, noise, level and codec."""
    place = rng.random()
    if place < recipe.room:
        x = reverberate(rng, x)
    elif place < recipe.room + recipe.far:
        x = far_microphone(rng, x)
    if rng.random() < recipe.filter:
        x = random_filter(rng, x)
    if rng.random() < recipe.noise:
        x = add_noise_at_snr(rng, x, rng.uniform(*recipe.noise_db), rng.uniform(-0.5, 1.0))
    x = clip(apply_gain(x, rng.uniform(*recipe.gain_db)))
    return _apply_codec(rng, x) if rng.random() < recipe.codec else x


def _apply_codec(rng: np.random.Generator, x: Array) -> Array:
    """Apply one of the codecs, or a telephone's band and quantisation."""
    codecs = list(CODECS)
    place = rng.integers(len(codecs) + 1)
    if place == len(codecs):
        return mu_law(limit_band(x, 3_400.0))
    return clip(transcode(x, codecs[place], rng.uniform(0.3, 1.0)))
