"""From a training run of a head to its released folder: what all have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import logit

from models.heads import Head
from streamer.inference.onnx import OnnxModel
from streamer.manifest import Manifest
from streamer.stage import Array
from train.calibration import platt
from train.checkpoint import Identity, load_weights
from train.config import read_config
from train.data import esc50
from train.data.all_sound import DATA_SETS, IN_DOUBT, recordings
from train.data.cache import SoundCache
from train.data.heard import heard
from train.data.lessons import lessons_of
from train.data.scenes import IGNORE
from train.export import current_commit, export
from train.release import check_chosen
from train.tasks.ear import FRONT_END
from train.tasks.head import HeadRunConfig, HeadTask

WARM_UP_STEPS = 6
"""Half a second after the ear's own warm-up: what the first logits are averaged over."""
LIKELIEST = 3
"""Labels of each step that the calibration looks at."""


def load_head(task: type[HeadTask], run: Path, classes: Sequence[str]) -> tuple[Head, HeadRunConfig]:
    """The head with the best weights of a run, ready to use, and the run's configuration."""
    config = read_config(HeadRunConfig, run / "config.json")
    ear = OnnxModel(Path(config.ear)).manifest
    model = Head(config.model, ear.output_size, task.labels_of(classes))
    load_weights(model, run / "best.pt", Identity(task.name, FRONT_END.config))
    return model.eval(), config


def export_head(
    model: Head,
    task: type[HeadTask],
    config: HeadRunConfig,
    folder: Path,
    temperature: float = 1.0,
    bias: float = 0.0,
) -> Manifest:
    """Export a head beside what it says of its ear, without thresholds or figures."""
    ear = OnnxModel(Path(config.ear)).manifest
    described = Manifest(
        name=task.name,
        task=task.name,
        labels=model.labels,
        front_end=ear.front_end,
        hop_frames=model.hop_frames,
        latency_frames=model.latency_frames,
        warm_up_frames=WARM_UP_STEPS,
        states=(),
        sha256="",
        commit=current_commit(),
        ear=ear.as_ear(),
        temperature=temperature,
        bias=bias,
        trained_on=tuple({"name": name, "licence": m.LICENCE} for name, m in DATA_SETS.items()),
    )
    return export(model, described, folder)


def calibrated_head(
    task: type[HeadTask], run: Path, data: Path, cache: Path, folder: Path
) -> tuple[Head, HeadRunConfig, Manifest]:
    """Export a run's best weights, calibrated on validation, without thresholds or figures.

    Parameters
    ----------
    task : type
    run : Path
        With ``config.json`` and ``best.pt``.
    data, cache : Path
        Folders of the data sets and of what is made of them.
    folder : Path
        Takes ``model.onnx`` and ``manifest.json``.
    """
    model, config = load_head(task, run, esc50.classes(data))
    check_chosen(config.validation_fold)
    export_head(model, task, config, folder)
    temperature, bias = Validation(folder, task, config, data, cache).calibration()
    return model, config, export_head(model, task, config, folder, temperature, bias)


class Validation:
    """What an exported head says of the lessons of its validation fold, step by step.

    Parameters
    ----------
    folder : Path
        Of the head.
    task : type
    config : HeadRunConfig
    data, cache : Path
    """

    def __init__(
        self, folder: Path, task: type[HeadTask], config: HeadRunConfig, data: Path, cache: Path
    ) -> None:
        sounds = SoundCache(recordings(data, [config.validation_fold]), cache)
        lessons = lessons_of(sounds, esc50.classes(data), IN_DOUBT, config.lessons, data, cache)
        embeddings = heard(OnnxModel(Path(config.ear)), lessons)
        kept = lessons.raw | (lessons.clip < 0)
        head = OnnxModel(folder)
        scores, _ = head.step(embeddings[kept].astype(np.float32), head.init(int(kept.sum())))
        labels = task.steps_of(lessons)[kept]
        known = labels != IGNORE
        self.scores: Array = scores[known]
        self.truth: Array = labels[known][:, None] == np.arange(len(head.manifest.labels))

    def calibration(self) -> tuple[float, float]:
        """Temperature and bias with which the likeliest labels of each step mean what they say.

        Of the others there are so many, and so surely absent, that they would decide alone.
        """
        likeliest = np.argsort(self.scores, axis=1)[:, -LIKELIEST:]
        scores = np.take_along_axis(self.scores, likeliest, axis=1)
        truth = np.take_along_axis(self.truth, likeliest, axis=1)
        return platt(logit(np.clip(scores, 1e-6, 1 - 1e-6)).ravel(), truth.ravel())
