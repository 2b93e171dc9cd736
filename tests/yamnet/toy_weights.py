"""Make untrained weights of YAMNet's shape, and sound to run them on."""

from __future__ import annotations

import math

import numpy as np

from streamer.arrays import Array
from streamer.yamnet.weights import CLASSES, SHAPES, Weights

MUSIC = 7
"""Index of the class, which differs from the published class map, since it is found by name."""


def toy_weights(relu_max: float = math.inf, seed: int = 0) -> Weights:
    """Make weights that are scaled so that sound passes all layers (He et al. 2015)."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, shape in SHAPES.items():
        spread = math.sqrt(2.0 / math.prod(shape[1:])) if name.endswith("kernel") else 0.1
        arrays[name] = (spread * rng.standard_normal(shape)).astype(np.float32)
    names = [f"class {n}" for n in range(CLASSES)]
    names[MUSIC] = "Music"
    return Weights(arrays, relu_max, names, "toy weights")


def noise(seconds: float = 2.0, seed: int = 1) -> Array:
    """Make noise at 16 kHz that swells and fades."""
    rng = np.random.default_rng(seed)
    samples = int(seconds * 16_000)
    return (0.3 * np.sin(np.arange(samples) / 3_000) * rng.standard_normal(samples)).astype(np.float32)
