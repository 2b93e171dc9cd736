"""What exported sounds say of their validation fold: what calibration and thresholds are chosen on."""

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
from train.mixing.distillation import load_teacher_answers
from train.mixing.embedding_cache import load_embeddings
from train.mixing.scenes import IGNORE
from train.tasks.sounds.task import SoundsRunConfig

LIKELIEST = 3
"""Classes of each step that the calibration looks at."""


class Validation:
    """What an exported model says of the lessons of its validation fold, step by step.

    Parameters
    ----------
    folder : Path
        Of the model.
    config : SoundsRunConfig
    data, cache : Path
        Folders of the data sets and of what is made of them.

    Attributes
    ----------
    scores : float32 array, shape (steps, classes)
    truth : bool array, shape (steps, classes)
        Which class sounds, if any.
    """

    def __init__(self, folder: Path, config: SoundsRunConfig, data: Path, cache: Path) -> None:
        sounds = SoundCache(recordings_of_folds(data, cache, [config.validation_fold]), cache)
        lessons = load_teacher_answers(sounds, esc50.classes(data), AMBIGUOUS, config.lessons, data, cache)
        embeddings = load_embeddings(OnnxModel(Path(config.ear)), lessons)
        kept = lessons.raw | (lessons.clip < 0)
        model = OnnxModel(folder)
        scores, _ = model.step(embeddings[kept].astype(np.float32), model.init(int(kept.sum())))
        classes = lessons.classes[kept]
        known = classes != IGNORE
        self.scores: Array = scores[known]
        self.truth: Array = classes[known][:, None] == np.arange(len(model.manifest.labels))

    def calibration(self) -> tuple[float, float]:
        """Temperature and bias with which the likeliest classes of each step mean what they say.

        Of the others there are so many, and so surely absent, that they would decide alone.
        """
        likeliest = np.argsort(self.scores, axis=1)[:, -LIKELIEST:]
        scores = np.take_along_axis(self.scores, likeliest, axis=1)
        truth = np.take_along_axis(self.truth, likeliest, axis=1)
        return fit_platt(logit(np.clip(scores, 1e-6, 1 - 1e-6)).ravel(), truth.ravel())
