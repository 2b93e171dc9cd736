"""Figures of exported sounds on held-out clips, stepped as they are stepped live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streamer.inference.manifest import Thresholds
from train.data.cache import SoundCache
from train.data.recordings import Split
from train.data.sets import esc50
from train.data.sets.all_sound import recordings_of_folds
from train.evaluate.calibration import Goal
from train.evaluate.metrics import by_label
from train.tasks.clip_figures import ClipFigures, described
from train.tasks.sounds.task import SoundsRunConfig
from train.tasks.sounds.validation import Validation


class SoundsFigures(ClipFigures):
    """Runs exported sounds over one fold of ESC-50.

    Parameters
    ----------
    folder : Path
        Of the model; its ear lies beside it or is released.
    config : SoundsRunConfig
        Of its run: says what was held out.
    data, cache : Path
        Folders of the data sets and of what is made of them.
    split : {"validation", "test"}
    """

    task = "sounds"
    rule = "mean_probability"

    def __init__(self, folder: Path, config: SoundsRunConfig, data: Path, cache: Path, split: Split) -> None:
        fold = config.fold if split == "test" else config.validation_fold
        super().__init__(folder, SoundCache([r for r in esc50.recordings(data) if r.fold == fold], cache))
        others = [r for r in recordings_of_folds(data, cache, [fold]) if r.kind in ("speech", "music")]
        self._others = SoundCache(others, cache)

    def points(self, goal: Goal, steps: Validation) -> tuple[Thresholds, ...]:
        """Where each label goes on, by its highest score in each clip of the fold, and off, by its single steps."""
        sounding = [scores[truth] for scores, truth in zip(steps.scores.T, steps.truth.T, strict=True)]
        return self.points_of(goal, sounding)

    def all(self) -> dict[str, Any]:
        """Every figure, ready for the manifest."""
        figures = {"clips": self.clips, "heard": self.heard, "worst": self.worst, "confused": self.confused}
        if self.decides:
            figures |= {"decisions": self.decisions, "false alarms": self.false_alarms}
        return described(figures)

    def worst(self, count: int = 8) -> dict[str, Any]:
        """The classes of the lowest F1 by clips: precision and recall."""
        labels = sorted(by_label(self._predictions), key=lambda label: label.f1)
        return {label.label: f"{label.precision:.2f} {label.recall:.2f}" for label in labels[:count]}

    def false_alarms(self) -> dict[str, float]:
        """Share of the steps of held-out speech and of music in which any label is on."""
        alarms: dict[str, float] = {}
        scores = self._scores(self._others)
        for kind in ("speech", "music"):
            steps = [
                self._on(said, "balanced").any(axis=1)
                for said, recording in zip(scores, self._others.recordings, strict=True)
                if recording.kind == kind
            ]
            alarms[kind] = round(float(np.concatenate(steps).mean()), 4)
        return alarms
