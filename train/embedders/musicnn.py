"""Embed windows of sound by musicnn, the tagger of music, with the weights in its wheel (ISC)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from streamer.arrays import Array
from train.embedders.windows import HOP_S
from train.teachers.musicnn import PATCH_SAMPLES, Musicnn, frames_of

RATE_HZ = 16_000
BATCH = 8
"""Patches that the network sees at once: its first layer makes 9 MB of each."""


@dataclass(frozen=True)
class MusicnnEmbedder:
    """musicnn as a `train.embedders.windows.WindowEmbedder`: it gives the layer before the tags, of 200 numbers.

    Attributes
    ----------
    network : Musicnn
        The network with its weights.
    files : tuple of Path
        Wheel that they were read from.
    """

    network: Musicnn
    files: tuple[Path, ...]
    name: str = "musicnn"
    rate_hz: int = RATE_HZ
    window_samples: int = PATCH_SAMPLES
    least_samples: int = RATE_HZ
    hop_s: float = HOP_S

    def embed(self, windows: Array) -> Array:
        """Return the embeddings of windows, which are repeated up to 3 s; see `WindowEmbedder.embed`."""
        repeated = windows[:, np.arange(PATCH_SAMPLES) % windows.shape[1]]
        parts = [
            self.network(torch.from_numpy(frames_of(repeated[first : first + BATCH])))[1].numpy()
            for first in range(0, len(repeated), BATCH)
        ]
        return np.concatenate(parts)


def load_musicnn(wheel: Path) -> MusicnnEmbedder:
    """Return musicnn with the weights in a wheel; errors are those of `Musicnn.from_wheel`."""
    return MusicnnEmbedder(Musicnn.from_wheel(wheel), (wheel,))
