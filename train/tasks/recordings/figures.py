"""Figures of an exported model of recordings on a held-out fold, stepped as it is stepped live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streamer.inference.manifest import Thresholds
from train.data.cache import SoundCache
from train.data.recordings import Split, check_folds
from train.evaluate.calibration import Goal, fit_softmax_temperature
from train.evaluate.metrics import by_label
from train.tasks.clip_figures import ClipFigures, described
from train.tasks.recordings.task import RecordingsRunConfig, find_recordings


class RecordingsFigures(ClipFigures):
    """Runs an exported model over one fold.

    Parameters
    ----------
    folder : Path
        Of the model; its ear lies beside it or is released.
    config : RecordingsRunConfig
        Of its run: says what was learnt from and what was held out.
    data, cache : Path
        Folders of the data sets and of what is made of them.
    split : {"validation", "test"}

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
        fold = config.fold if split == "test" else config.validation_fold
        found = find_recordings(config, data, cache)
        clips = SoundCache([r for r in found if r.fold == fold], cache)
        check_folds(clips.recordings, folds=[fold])
        super().__init__(folder, clips)

    def all(self) -> dict[str, Any]:
        """Every figure, ready for the manifest."""
        figures = {
            "clips": self.clips,
            "heard": self.heard,
            "categories": self.categories,
            "confused": self.confused,
        }
        if self.decides:
            figures |= {"decisions": self.decisions}
        return described(figures)

    def categories(self) -> dict[str, str]:
        """Precision and recall of each category, the worst first, and how many clips are of it."""
        return {
            label.label: f"{label.precision:.2f} {label.recall:.2f} of {label.clips}"
            for label in by_label(self._predictions)
        }

    def temperature(self) -> float:
        """With which the probabilities of single steps past the warm-up mean what they say.

        As if one more clip than there are were of no category, lest a model that is always right be called sure
        (Platt 1999, section 2.2).
        """
        steps = [self._decided(scores) for scores in self._said]
        truth = np.repeat(self._predictions.truth, [len(scores) for scores in steps])
        logits = np.log(np.maximum(np.concatenate(steps), 1e-9))
        return fit_softmax_temperature(logits, truth, doubt=1 / (len(steps) + 1))

    def points(self, goal: Goal) -> tuple[Thresholds, ...]:
        """Where each category goes on, by its highest score in each clip of the fold, and off, by its clips' steps."""
        steps = [self._decided(scores) for scores in self._said]
        truth = self._predictions.truth
        labels = range(len(self._predictions.labels))
        sounding = [
            np.concatenate(
                [np.zeros(0), *(s[:, label] for s, t in zip(steps, truth, strict=True) if t == label)]
            )
            for label in labels
        ]
        return self.points_of(goal, sounding)
