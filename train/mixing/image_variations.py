"""Variations of mel images at random: pitch, tempo, position, size, noise and masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.augment.features import mask


@dataclass(frozen=True)
class ImageVariations:
    """Changes of mel images that leave their class as it is. With all numbers 0, images stay as they are.

    Attributes
    ----------
    share : float
        Share of the images that are changed.
    shift : float
        Largest shift in time, as a share of the image; what leaves it at one end comes in at the other.
    pitch_bands : float
        Largest shift in bands, up or down.
    stretch, zoom : float
        Largest relative change of the speed, and of the size in both directions.
    noise : float
        Largest standard deviation of the noise that is added, in units of the image.
    masks, mask_bands, mask_frames : int
        Number of stripes that SpecAugment masks in each direction, and their largest widths.
    """

    share: float = 0.8
    shift: float = 1.0
    pitch_bands: float = 4.0
    stretch: float = 0.15
    zoom: float = 0.08
    noise: float = 0.15
    masks: int = 1
    mask_bands: int = 16
    mask_frames: int = 24

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or min(self.shift, self.pitch_bands, self.noise, self.masks) < 0:
            raise ConfigError(
                f"variations.share is {self.share:g}, shift {self.shift:g}, pitch_bands {self.pitch_bands:g}, noise "
                f"{self.noise:g}, masks {self.masks}; expected a share of 0 to 1, and 0 or more of the others"
            )

    def vary(self, rng: np.random.Generator, images: Array) -> Array:
        """Return images of shape (clips, bands, frames), float32, most of them changed."""
        varied = np.stack([self._one(rng, image) if rng.random() < self.share else image for image in images])
        if not self.masks:
            return varied
        masked = mask(rng, varied.transpose(0, 2, 1), self.masks, self.mask_bands, self.mask_frames)
        return np.ascontiguousarray(masked.transpose(0, 2, 1), dtype=np.float32)

    def _one(self, rng: np.random.Generator, image: Array) -> Array:
        """Return one image moved, stretched and zoomed by a single interpolation, with noise."""
        bands, frames = image.shape
        zoom = 1.0 + rng.uniform(-self.zoom, self.zoom)
        rows = np.arange(bands) * zoom + rng.uniform(-self.pitch_bands, self.pitch_bands)
        speed = zoom * (1.0 + rng.uniform(-self.stretch, self.stretch))
        columns = np.arange(frames) * speed + rng.uniform(0.0, self.shift) * frames
        grid = np.meshgrid(np.clip(rows, 0, bands - 1), columns % (frames - 1), indexing="ij")
        moved = map_coordinates(image, grid, order=1)
        noisy: Array = moved + rng.normal(0.0, rng.uniform(0.0, self.noise), image.shape)
        return noisy.astype(np.float32)
