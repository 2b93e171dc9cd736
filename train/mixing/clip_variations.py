"""Variations of clips of log-mel frames: pitch, tempo, position, range and colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.front_ends import DB, DEVIATION_DB
from streamer.arrays import Array

FRAMES = 128
"""Frames of a clip in training, 23 ms each: about 3 s, the length of tracks in GTZAN's mel file cut to whole steps."""


@dataclass(frozen=True)
class ClipVariations:
    """Changes of clips of music at random, which leave genre and tags as they are.

    Attributes
    ----------
    shift_bands : int
        Largest shift in bands, up or down, which changes the pitch.
    speed : float
        Largest relative change of the speed, up or down.
    contrast, tilt : float
        Standard deviations of the factor on a clip's range, and of a slope over the bands, in deviations of GTZAN's
        decibels.
    """

    shift_bands: int = 3
    speed: float = 0.15
    contrast: float = 0.05
    tilt: float = 0.2

    def vary(self, rng: np.random.Generator, clip: Array) -> Array:
        """Return a clip of shape (frames, bands) with its pitch, tempo, position, range and colour changed."""
        frames, width = clip.shape
        bands = np.clip(
            np.arange(width) + rng.integers(-self.shift_bands, self.shift_bands + 1), 0, width - 1
        )
        at = (rng.integers(frames) + np.arange(frames) * rng.uniform(1 - self.speed, 1 + self.speed)).astype(
            int
        ) % frames
        varied = clip[at][:, bands]
        deviation = np.float32(DEVIATION_DB / DB)
        slope = rng.normal(0.0, self.tilt) * np.linspace(-1.0, 1.0, width)
        mean = varied.mean()
        varied = (varied - mean) * np.float32(rng.normal(1.0, self.contrast)) + mean
        tilted: Array = (varied + deviation * slope).astype(np.float32)
        return tilted
