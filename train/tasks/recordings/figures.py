"""Figures of an exported classifier of recordings on a held-out fold, stepped like live listening."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from streamer.inference.manifest_parts import Thresholds
from train.data.cache import SoundCache
from train.data.recordings import Split, check_folds
from train.evaluate.calibration import fit_softmax_temperature
from train.evaluate.metrics.classification import precision_and_recall
from train.evaluate.operating_points import Goal
from train.tasks.clip_figures import ClipFigures, with_descriptions
from train.tasks.recordings.task import RecordingsRunConfig, find_recordings


class RecordingsFigures(ClipFigures):
    """Figures of an exported classifier of recordings on one fold of its data set.

    Methods that return figures have noun phrases as docstrings, which are their descriptions in the manifest.

    Parameters
    ----------
    folder : Path
        Folder of the model; its ear lies beside it or is released.
    config : RecordingsRunConfig
        Configuration of the model's run, which names the data set and the folds that were held out.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    split : {"validation", "test"}
        Fold to measure on.

    Raises
    ------
    ConfigError
        If fewer than two recordings of the fold can be used.
    """

    task = "recordings"
    rule = "mean_log"

    def __init__(
        self, folder: Path, config: RecordingsRunConfig, data: Path, cache: Path, split: Split
    ) -> None:
        fold = config.fold_of(split)
        found = find_recordings(config, data, cache)
        clips = SoundCache([r for r in found if r.fold == fold], cache)
        check_folds(clips.recordings, folds=[fold])
        super().__init__(folder, clips)

    def all(self) -> dict[str, Any]:
        """Return all figures by name, for the manifest."""
        figures: dict[str, Callable[[], Mapping[str, Any]]] = {
            "clips": self.clips,
            "heard": self.accuracy_by_time,
            "categories": self.categories,
            "confused": self.confused,
        }
        if self.decides:
            figures |= {"decisions": self.decisions}
        return with_descriptions(figures)

    def categories(self) -> dict[str, str]:
        """Precision and recall of each category, the worst first, and its number of clips.

        Returns
        -------
        dict
            Text with precision, recall and number of clips, such as ``0.91 0.86 of 40``, by the name of the category.
        """
        return precision_and_recall(self._predictions)

    def temperature(self) -> float:
        """Return the number by which logits must be divided so that scores of single steps are true probabilities.

        It is fitted to the steps past the warm-up, and as if one clip more had no category; otherwise a model that is
        right in every clip would be calibrated to certainty (Platt 1999, section 2.2).
        """
        steps = [self._decided(scores) for scores in self._clip_scores]
        truth = np.repeat(self._predictions.truth, [len(scores) for scores in steps])
        logits = np.log(np.maximum(np.concatenate(steps), 1e-9))
        return fit_softmax_temperature(logits, truth, doubt=1 / (len(steps) + 1))

    def points(self, goal: Goal) -> tuple[Thresholds, ...]:
        """Return the thresholds of each category that reach `goal` on the recordings, in the order of the categories.

        The threshold ``on`` comes from the category's highest score in each recording, and ``off`` from the steps of
        its own recordings.

        Parameters
        ----------
        goal : Goal
            Aim of the choice, such as a precision.
        """
        steps = [self._decided(scores) for scores in self._clip_scores]
        truth = self._predictions.truth
        labels = range(len(self._predictions.labels))
        sounding = [
            np.concatenate(
                [np.zeros(0), *(s[:, label] for s, t in zip(steps, truth, strict=True) if t == label)]
            )
            for label in labels
        ]
        return self.points_of(goal, sounding)
