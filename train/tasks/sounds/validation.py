"""Scores of an exported sounds head on its validation fold, by which it is calibrated and thresholds are chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import logit

from streamer.arrays import Array
from streamer.inference.onnx import OnnxModel
from train.data.cache import SoundCache
from train.data.sets import esc50
from train.data.sets.all_sound import AMBIGUOUS, recordings_of_folds
from train.evaluate.calibration import fit_platt
from train.mixing.distillation.example_embeddings import load_example_embeddings
from train.mixing.presence import IGNORE
from train.tasks.on_ear import load_ear
from train.tasks.sounds.config import SoundsRunConfig

LIKELIEST = 3
"""Number of classes at each step that the calibration is fitted to."""


class SoundsValidation:
    """Scores of an exported sounds head, and the truth, at each labelled step of its validation fold.

    Parameters
    ----------
    folder : Path
        Folder of the model.
    config : SoundsRunConfig
        Configuration of the model's run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Attributes
    ----------
    scores : float32 array, shape (steps, classes)
        Probabilities of the classes at the steps that have a label.
    truth : bool array, shape (steps, classes)
        Whether each class is audible at these steps.
    """

    def __init__(self, folder: Path, config: SoundsRunConfig, data: Path, cache: Path) -> None:
        sounds = SoundCache(recordings_of_folds(data, cache, [config.validation_fold]), cache)
        ear = load_ear(config.ear)
        classes = esc50.classes(data)
        examples = load_example_embeddings(ear, sounds, classes, AMBIGUOUS, config.lessons, cache)
        unaugmented = examples.raw | (examples.clip < 0)
        model = OnnxModel(folder)
        embeddings = examples.embeddings[unaugmented].astype(np.float32)
        scores, _ = model.step(embeddings, model.init(len(embeddings)))
        labels = examples.classes[unaugmented]
        known = labels != IGNORE
        self.scores: Array = scores[known]
        self.truth: Array = labels[known][:, None] == np.arange(len(model.manifest.labels))

    def calibration(self) -> tuple[float, float]:
        """Return temperature and bias of the calibration ``sigmoid(logit / temperature + bias)`` (Platt 1999).

        They are fitted to the `LIKELIEST` likeliest classes of each step. The other classes are so many, and so clearly
        absent, that they would outweigh these.
        """
        likeliest = np.argsort(self.scores, axis=1)[:, -LIKELIEST:]
        scores = np.take_along_axis(self.scores, likeliest, axis=1)
        truth = np.take_along_axis(self.truth, likeliest, axis=1)
        return fit_platt(logit(np.clip(scores, 1e-6, 1 - 1e-6)).ravel(), truth.ravel())
