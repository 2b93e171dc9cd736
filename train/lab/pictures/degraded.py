"""Accuracy of a reference network on degraded sound, from which its images are made anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from streamer.arrays import Array
from train.data.cache import SoundCache
from train.evaluate import robustness
from train.loop.config import read_config
from train.loop.run import CACHE, data_folder, write_json
from train.mixing.mel_images import mel_image
from train.tasks.reference.config import ImageRunConfig
from train.tasks.reference.figures import load_network, read_labels
from train.tasks.reference.task import BATCH

DEGRADATIONS = tuple(one for one in robustness.STANDARD if one.name in {"white noise", "speed", "pitch"})
SOUNDS = 60
"""Largest number of clips of a fold that are degraded, evenly chosen."""
FILE = "robustness.json"


def measure_degraded(run: Path, kind: type[ImageRunConfig], row: str) -> dict[str, Any]:
    """Return the content of a run's ``robustness.json``, which is written if it is absent.

    Parameters
    ----------
    run : Path
        Folder of a run whose images are of sound (`ImageRunConfig.of_sound`).
    kind : type
        Class of its configuration.
    row : str
        Name of its row, for the command that is noted.
    """
    path = run / FILE
    if not path.is_file():
        config = read_config(kind, run / "config.json")
        sounds = SoundCache(config.recordings([config.fold], data_folder(), CACHE), CACHE)
        places = np.linspace(0, len(sounds) - 1, min(SOUNDS, len(sounds))).round().astype(int)
        labels, model = read_labels(run), load_network(run, config)
        truth = np.array([labels.index(sounds.recordings[place].category) for place in places])

        def accuracy(degraded: Sequence[Array]) -> float:
            images = np.stack([mel_image(sound, config.image) for sound in degraded])
            with torch.no_grad():
                logits = torch.cat([model(part) for part in torch.from_numpy(images).split(BATCH)])
            return float(np.mean(logits.argmax(1).numpy() == truth))

        command = f"python -m train lab --pictures --only {row}"
        chosen = [sounds.samples(place) for place in places]
        write_json(path, robustness.measure(chosen, accuracy, "accuracy", command, DEGRADATIONS))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
