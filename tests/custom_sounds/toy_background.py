"""A background for the toy ear: impostors of every colour, bands in quarters compared as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.custom_sounds.background import Background
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model_folders import read_manifest
from tests.toy_model import BANDS, write_toy_ear

RATE_HZ = 16_000
POINTS = {
    "balanced": Thresholds(0.5, 0.25),
    "precision": Thresholds(0.8, 0.5),
    "recall": Thresholds(0.2, 0.1),
}
LOW_HZ, HIGH_HZ = 300.0, 5_000.0
"""Pitches in the lowest and the highest quarter of the bands."""


def write_toy_ear_to_teach(folder: Path) -> Path:
    """A toy ear with its background."""
    write_toy_ear(folder)
    toy_background(read_manifest(folder).sha256).write(folder)
    return folder


def toy_background(ear_sha256: str) -> Background:
    """Certain of what is as similar as itself, and sure at a cosine of 0.9."""
    impostors = np.random.default_rng(0).normal(0.0, 1.0, (200, len(BANDS)))
    return Background(
        ear_sha256=ear_sha256,
        window_steps=5,
        mean=np.full(len(BANDS), -5.0, np.float32),
        projection=np.eye(len(BANDS), dtype=np.float16),
        impostors=(impostors / np.linalg.norm(impostors, axis=1, keepdims=True)).astype(np.float16),
        slope=40.0,
        offset=-36.0,
        operating_points=POINTS,
    )


def tone(pitch_hz: float, seconds: float = 2.0, rate_hz: int = RATE_HZ, level: float = 0.3) -> Array:
    """A tone in a little noise, float32, shape (samples,)."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(1).normal(0.0, 1e-4, len(t))
    return (level * np.sin(2 * np.pi * pitch_hz * t) + noise).astype(np.float32)
