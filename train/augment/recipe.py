"""Changes of sound drawn at random, in the order in which they happen on the way to a model."""

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
"""Gives some samples of sound to lie under another, 16 kHz."""


@dataclass(frozen=True)
class Recipe:
    """How often what happens to a clip, and how much of it.

    Attributes
    ----------
    speed, pitch, move, background, room, far, filter, noise, codec : float
        Chances, 0 to 1. Room and far microphone exclude each other.
    gain_db : tuple of float
        Least and most; always.
    speed_factor : tuple of float
    pitch_semitones : float
        At most, up or down.
    move_s : float
        At most, earlier or later.
    background_db, noise_db : tuple of float
        Least and most signal-to-noise ratio.
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
    """A clip as it might have been heard.

    Parameters
    ----------
    rng : numpy.random.Generator
    x : float32 array, shape (samples,)
        16 kHz. Never changed.
    recipe : Recipe
    background : callable, optional
        Needed where the recipe has background.

    Returns
    -------
    float32 array, shape (samples,)

    Raises
    ------
    ValueError
        If the recipe has background and none is given.
    """
    if recipe.background and background is None:
        raise ValueError(f"Recipe(background={recipe.background}) needs a background; expected a callable")
    y = _played(rng, x, recipe)
    if background and rng.random() < recipe.background:
        y = mix_at_snr(y, background(rng, len(y)), rng.uniform(*recipe.background_db))
    return _recorded(rng, y, recipe)


def _played(rng: np.random.Generator, x: Array, recipe: Recipe) -> Array:
    """Another performance: speed, pitch, place."""
    if rng.random() < recipe.speed:
        x = fit_length(change_speed(x, rng.uniform(*recipe.speed_factor)), len(x))
    if rng.random() < recipe.pitch:
        x = change_pitch(x, rng.uniform(-recipe.pitch_semitones, recipe.pitch_semitones))
    if rng.random() < recipe.move:
        x = shift(x, int(rng.uniform(-recipe.move_s, recipe.move_s) * RATE_HZ))
    return x


def _recorded(rng: np.random.Generator, x: Array, recipe: Recipe) -> Array:
    """Another room, microphone and file."""
    where = rng.random()
    if where < recipe.room:
        x = reverberate(rng, x)
    elif where < recipe.room + recipe.far:
        x = far_microphone(rng, x)
    if rng.random() < recipe.filter:
        x = random_filter(rng, x)
    if rng.random() < recipe.noise:
        x = add_noise_at_snr(rng, x, rng.uniform(*recipe.noise_db), rng.uniform(-0.5, 1.0))
    x = clip(apply_gain(x, rng.uniform(*recipe.gain_db)))
    return _coded(rng, x) if rng.random() < recipe.codec else x


def _coded(rng: np.random.Generator, x: Array) -> Array:
    """One of the codecs, or a telephone."""
    codecs = list(CODECS)
    place = rng.integers(len(codecs) + 1)
    if place == len(codecs):
        return mu_law(limit_band(x, 3_400.0))
    return clip(transcode(x, codecs[place], rng.uniform(0.3, 1.0)))
