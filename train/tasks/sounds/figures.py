"""Figures of an exported sounds head on held-out clips, stepped like live listening."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from streamer.inference.manifest_parts import Thresholds
from train.data.cache import SoundCache
from train.data.recordings import Split
from train.data.sets import esc50
from train.evaluate.metrics.classification import by_label
from train.evaluate.operating_points import Goal
from train.tasks.clip_figures import ClipFigures, with_descriptions
from train.tasks.sounds.config import SoundsRunConfig
from train.tasks.sounds.other_scores import OtherScores, score_others
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
        self._config, self._fold, self._data, self._cache = config, fold, data, cache

    def points(self, goal: Goal, steps: SoundsValidation, false_an_hour: float) -> tuple[Thresholds, ...]:
        """Return the thresholds of each label that reach `goal` on the clips of the fold, in the order of the labels.

        They are raised until few enough labels begin in sound that is none of the classes and counts; see
        `train.tasks.sounds.other_scores.OtherScores.limit`.

        The threshold ``on`` comes from the label's highest score in each clip, and ``off`` from single steps.

        Parameters
        ----------
        goal : Goal
            Aim of the choice, such as a precision.
        steps : SoundsValidation
            Scores and truth of single steps.
        false_an_hour : float
            Greatest number of labels that begin in an hour of sound that is none of the classes.
        """
        sounding = [scores[truth] for scores, truth in zip(steps.scores.T, steps.truth.T, strict=True)]
        return self._others.limit(self.points_of(goal, sounding), false_an_hour)

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
        """Labels that begin in an hour of held-out sound that is none of the classes.

        Returns
        -------
        dict
            Labels an hour, at the operating point ``balanced``, for each data set and kind of sound, as in ``debian,
            music``.
        """
        return self._others.begins_an_hour(self._scorer.manifest.thresholds("balanced"))

    @cached_property
    def _others(self) -> OtherScores:
        """Scores in sound that is none of the classes, which only thresholds need."""
        return score_others(self._scorer, self._config, self._fold, self._data, self._cache)
