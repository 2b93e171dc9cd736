"""Figures of exported sounds on held-out clips, stepped as they are stepped live."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from streamer.manifest import Thresholds
from streamer.stage import Array
from train.calibration import Goal, operating_point, operating_points
from train.data import esc50
from train.data.all_sound import recordings
from train.data.cache import SoundCache
from train.data.recordings import Split
from train.listening import Listener
from train.metrics import (
    accuracy,
    accuracy_by_heard,
    bootstrap,
    by_label,
    confusion,
    mean_probability,
    most_confused,
    right,
)
from train.predictions import Predictions, stacked
from train.tasks.sounds import SoundsRunConfig
from train.tasks.sounds_validation import Validation


class SoundsFigures:
    """Runs exported sounds over one fold.

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

    def __init__(self, folder: Path, config: SoundsRunConfig, data: Path, cache: Path, split: Split) -> None:
        self._listener = Listener.of(folder)
        fold = config.fold if split == "test" else config.validation_fold
        self._clips = SoundCache([r for r in esc50.recordings(data) if r.fold == fold], cache)
        others = [r for r in recordings(data, [fold]) if r.kind in ("speech", "music")]
        self._others = SoundCache(others, cache)
        self._said = self._scores(self._clips)

    def predictions(self, command: str) -> Predictions:
        """What was said of every clip of the fold."""
        labels = self._listener.manifest.labels
        clips = self._clips.recordings
        return Predictions(
            task="sounds",
            model=self._listener.manifest.name,
            labels=labels,
            clips=tuple(f"{clip.source}/{clip.name}" for clip in clips),
            truth=np.array([labels.index(clip.category) for clip in clips]),
            folds=np.array([clip.fold for clip in clips]),
            step_s=self._listener.step_s,
            scores=stacked(self._said),
            command=command,
            rule="mean_probability",
        )

    @cached_property
    def _predictions(self) -> Predictions:
        """For figures, which tell no command by themselves."""
        return self.predictions("")

    def points(self, goal: Goal, steps: Validation) -> tuple[Thresholds, ...]:
        """Where each label goes on, by its highest score in each clip of the fold, and off, by its single steps."""
        highest = np.stack([scores[self._listener.warm_up_steps :].max(axis=0) for scores in self._said])
        truth = self._predictions.truth[:, None] == np.arange(highest.shape[1])
        on = [point.on for point in operating_points(highest, truth, goal)]
        sounding = [scores[truth] for scores, truth in zip(steps.scores.T, steps.truth.T, strict=True)]
        return tuple(operating_point(one, scores) for one, scores in zip(on, sounding, strict=True))

    def all(self) -> dict[str, Any]:
        """Every figure, ready for the manifest."""
        figures = {"clips": self.clips, "heard": self.heard, "worst": self.worst, "confused": self.confused}
        if self._listener.manifest.operating_points:
            figures |= {"decisions": self.decisions, "false alarms": self.false_alarms}
        return {
            name: {"what": (measure.__doc__ or "").split("\n\n")[0], **measure()}
            for name, measure in figures.items()
        }

    def clips(self) -> dict[str, Any]:
        """ESC-50's clips of the held-out fold: accuracy by the mean probability over a clip's steps."""
        said = self._predictions
        low, high = bootstrap(right(said, mean_probability))
        return {
            "clips": len(said.truth),
            "accuracy": round(accuracy(said, mean_probability), 4),
            "95 % of resampled clips": f"{low:.3f} to {high:.3f}",
        }

    def heard(self) -> dict[str, float]:
        """Accuracy after the first seconds of a clip."""
        found = accuracy_by_heard(self._predictions, mean_probability)
        return {f"{seconds:g} s": round(value, 4) for seconds, value in found.items()}

    def worst(self, count: int = 8) -> dict[str, Any]:
        """The classes of the lowest F1 by clips: precision and recall."""
        labels = sorted(by_label(self._predictions, mean_probability), key=lambda label: label.f1)
        return {label.label: f"{label.precision:.2f} {label.recall:.2f}" for label in labels[:count]}

    def confused(self) -> dict[str, int]:
        """The pairs of classes that are most often taken for each other: clips."""
        labels = self._listener.manifest.labels
        pairs = most_confused(confusion(self._predictions, mean_probability), 8)
        return {f"{labels[truth]} as {labels[said]}": count for truth, said, count in pairs}

    def decisions(self) -> dict[str, float]:
        """Clips in which their own label is on at any step past the warm-up, and how many others are on in a clip."""
        truth = self._predictions.truth
        found: dict[str, float] = {}
        for preference in self._listener.manifest.operating_points:
            on = np.stack([self._on(scores, preference).any(axis=0) for scores in self._said])
            own = on[np.arange(len(truth)), truth]
            found[f"{preference}, own"] = round(float(own.mean()), 4)
            found[f"{preference}, others"] = round(float((on.sum(1) - own).mean()), 4)
        return found

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

    def _on(self, scores: Array, preference: str) -> Array:
        """Which labels are above their threshold at each step past the warm-up, bool, shape (steps, labels)."""
        on = np.array([point.on for point in self._listener.manifest.thresholds(preference)])
        return scores[self._listener.warm_up_steps :] >= on

    def _scores(self, sounds: SoundCache) -> list[Array]:
        return self._listener.all_scores([sounds.samples(index) for index in range(len(sounds))])
