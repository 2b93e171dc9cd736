"""Scenes of a batch laid over each other as frames, so that a model seldom meets the same scene twice."""

from __future__ import annotations

import numpy as np

from models.front_ends import DB
from streamer.arrays import Array
from train.mixing.presence import drowned, mixed_presence

OVER_DB = (-5.0, 25.0)
"""Lowest and highest level of a scene re the one that is laid over it, both as they are."""
TURNS = 5
"""Number of bands at which the gain of `tilt` is drawn; it is linear between them."""


def blend(rng: np.random.Generator, frames: Array, present: Array, count: int, audible_db: float) -> None:
    """Lay other scenes of the batch over the last `count`; `frames` and `present` are changed in place.

    Parameters
    ----------
    rng : Generator
        Generator of everything random.
    frames : float32 array, shape (scenes, frames, bands)
        Log-mel frames, logarithms of power. Powers are added, as those of unrelated sounds add up.
    present : int8 array, shape (scenes, steps, 3)
        Labels of music, speech and singing, as in `train.mixing.presence`.
    count : int
        Number of scenes that another is laid over, at most all.
    audible_db : float
        Level of a scene re the other, step by step, from which its labels count. Below it they are ignored.
    """
    if not count:
        return
    below = np.arange(len(frames) - count, len(frames))
    above = (below + rng.integers(1, max(2, len(frames)))) % len(frames)
    gains = -rng.uniform(*OVER_DB, (count, 1, 1)).astype(np.float32) / np.float32(DB)
    own, other = frames[below], frames[above] + gains
    over_db = DB * (_step_levels(own, present.shape[1]) - _step_levels(other, present.shape[1]))[:, :, None]
    mixed = mixed_presence(
        np.where(over_db < audible_db, drowned(present[below]), present[below]),
        np.where(-over_db < audible_db, drowned(present[above]), present[above]),
    )
    frames[below], present[below] = np.logaddexp(own, other), mixed


def tilt(rng: np.random.Generator, frames: Array, most_db: float, floor: float) -> Array:
    """Return frames of scenes as through other microphones and rooms: each has a smooth gain over the bands.

    Parameters
    ----------
    rng : Generator
        Generator of everything random.
    frames : float32 array, shape (scenes, frames, bands)
        Log-mel frames, logarithms of power.
    most_db : float
        Largest gain or loss.
    floor : float
        Frame of digital silence, which stays as it is.
    """
    points = np.linspace(0, frames.shape[2] - 1, TURNS)
    bands = np.arange(frames.shape[2])
    gains = rng.uniform(-most_db, most_db, (len(frames), TURNS)) / DB
    curves = np.stack([np.interp(bands, points, own) for own in gains]).astype(np.float32)[:, None, :]
    tilted: Array = np.where(frames > floor + 0.5, np.maximum(frames + curves, np.float32(floor)), frames)
    return tilted


def _step_levels(frames: Array, steps: int) -> Array:
    """Return the logarithm of the mean power of each step, shape (scenes, steps)."""
    power = np.exp(frames).mean(axis=2)
    levels: Array = np.log(power.reshape(len(frames), steps, -1).mean(axis=2))
    return levels
