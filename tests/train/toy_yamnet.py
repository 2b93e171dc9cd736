"""YAMNet's files where the trainer looks for them, of weights that nobody trained, and a mel file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from streamer.yamnet.weights import CLASSES
from tests.yamnet.toy_weights import MUSIC, toy_weights
from train.mixing.patch_embeddings import TRAININGS

SPEECH = 0
"""Index of AudioSet's class ``Speech``."""


def write_yamnet(root: Path) -> None:
    """Both trainings below ``root/yamnet``, the second with ReLU6, and their class map."""
    for seed, name in enumerate(TRAININGS.values()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        extra = {"network/relu_max": np.float32(6.0)} if seed else {}
        np.savez(path, **toy_weights(seed=seed).arrays, **extra)
    names = {SPEECH: "Speech", MUSIC: "Music"}
    rows = "".join(f"{n},/m/{n},{names.get(n, n)}\n" for n in range(CLASSES))
    (root / "yamnet" / "yamnet_class_map.csv").write_text("index,mid,display_name\n" + rows)


def write_mels(root: Path, tracks: int = 40) -> None:
    """Tracks of two genres that differ in level: told apart by their statistics."""
    rng = np.random.default_rng(0)
    genre = np.arange(tracks) % 2
    mel = rng.normal(0.0, 8.0, (tracks, 16, 130)) + 20 * genre[:, None, None]
    np.savez(
        root / "gtzan" / "mels.npz",
        mel=mel.astype(np.int8),
        scale=0.1,
        genre=genre,
        genres=["blues", "rock"],
        group=np.arange(tracks) // 2 * 2 + genre,
        audio=[""] * tracks,
    )
