"""Figures of an exported sounds head on held-out clips, stepped like live listening."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from streamer.inference.manifest_parts import Thresholds
from train.data.cache import SoundCache
from train.data.recordings import Split
from train.data.sets import esc50
from train.data.sets.all_sound import recordings_of_folds
from train.evaluate.metrics.classification import by_label
from train.evaluate.operating_points import Goal
from train.tasks.clip_figures import ClipFigures, with_descriptions
from train.tasks.sounds.task import SoundsRunConfig
from train.tasks.sounds.validation import SoundsValidation


class SoundsFigures(ClipFigures):
    """Figures of an exported sounds head on the clips of one fold of ESC-50.

    Methods that return figures have noun phrases as docstrings, which are their descriptions in the manifest.

    Parameters
    ----------
    folder : Path
        Folder of the model; its ear lies beside it or is released.
    config : SoundsRunConfig
        Configuration of the model's run, which names the folds that were held out.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    split : {"validation", "test"}
        Fold to measure on.
    """

    task = "sounds"
    rule = "mean_probability"

    def __init__(self, folder: Path, config: SoundsRunConfig, data: Path, cache: Path, split: Split) -> None:
        fold = config.fold_of(split)
        super().__init__(folder, SoundCache([r for r in esc50.recordings(data) if r.fold == fold], cache))
        others = [r for r in recordings_of_folds(data, cache, [fold]) if r.kind in ("speech", "music")]
        self._others = SoundCache(others, cache)

    def points(self, goal: Goal, steps: SoundsValidation) -> tuple[Thresholds, ...]:
        """Return the thresholds of each label that reach `goal` on the clips of the fold, in the order of the labels.

        The threshold ``on`` comes from the label's highest score in each clip, and ``off`` from single steps.

        Parameters
        ----------
        goal : Goal
            Aim of the choice, such as a precision.
        steps : SoundsValidation
            Scores and truth of single steps.
        """
        sounding = [scores[truth] for scores, truth in zip(steps.scores.T, steps.truth.T, strict=True)]
        return self.points_of(goal, sounding)

    def all(self) -> dict[str, Any]:
        """Return all figures by name, for the manifest."""
        figures: dict[str, Callable[[], Mapping[str, Any]]] = {
            "clips": self.clips,
            "heard": self.accuracy_by_time,
            "worst": self.worst,
            "confused": self.confused,
        }
        if self.decides:
            figures |= {"decisions": self.decisions, "false alarms": self.false_alarms}
        return with_descriptions(figures)

    def worst(self, count: int = 8) -> dict[str, Any]:
        """Precision and recall, by clips, of the classes with the lowest F1.

        Returns
        -------
        dict
            Text with both figures, such as ``0.61 0.55``, by the name of the class; the `count` classes with the lowest
            F1.
        """
        labels = sorted(by_label(self._predictions), key=lambda label: label.f1)
        return {label.label: f"{label.precision:.2f} {label.recall:.2f}" for label in labels[:count]}

    def false_alarms(self) -> dict[str, float]:
        """Share of the steps of held-out speech and of music in which any label is on.

        Returns
        -------
        dict
            Share, 0 to 1, at the operating point ``balanced``, for ``speech`` and ``music``.
        """
        alarms: dict[str, float] = {}
        scores = self._scores(self._others)
        for kind in ("speech", "music"):
            steps = [
                self._on(clip, "balanced").any(axis=1)
                for clip, recording in zip(scores, self._others.recordings, strict=True)
                if recording.kind == kind
            ]
            alarms[kind] = round(float(np.concatenate(steps).mean()), 4)
        return alarms
