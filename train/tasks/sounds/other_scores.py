"""Scores of an exported sounds head in sound that is none of its classes: each label that begins there is false."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.inference.manifest_parts import Thresholds
from train.evaluate.false_labels import count_begins, limit_false_labels
from train.evaluate.stepped_scores import SteppedScorer
from train.mixing.doubts import LABELLED_BY_FOLDER
from train.tasks.on_ear import load_ear
from train.tasks.sounds.config import SoundsRunConfig
from train.tasks.sounds.example_groups import GroupLoader

SINGLE = frozenset({"instruments", "animals", "effects"})
"""Data sets of single notes, calls and effects, whose false labels raise no thresholds: they are the hardest to tell
from the classes, but nobody hears an hour of them."""


@dataclass(frozen=True)
class OtherScores:
    """Scores in excerpts of sound that is none of the classes.

    Attributes
    ----------
    groups : Mapping of str to array, shape (excerpts, steps, classes)
        Scores past the warm-up, of each group of sound of one data set and kind, named as in ``debian, music``.
    step_s : float
        Seconds from one step to the next.
    """

    groups: Mapping[str, Array]
    step_s: float

    def limit(self, points: Sequence[Thresholds], per_hour: float) -> tuple[Thresholds, ...]:
        """Return thresholds, raised where needed, with which at most `per_hour` labels begin in an hour of the sound.

        Some groups do not count, see `_counts`, and for the rest `train.evaluate.false_labels.limit_false_labels`.
        """
        counted = [scores for name, scores in self.groups.items() if _counts(*name.split(", "))]
        if not counted:
            return tuple(points)
        highest = np.concatenate([scores.max(axis=1) for scores in counted])
        hours = sum(map(self._hours, counted))
        return limit_false_labels(points, highest, per_hour * hours)

    def begins_an_hour(self, points: Sequence[Thresholds]) -> dict[str, float]:
        """Return how many labels begin in an hour of each group."""
        begins = {
            name: sum(int(count_begins(excerpt, points).sum()) for excerpt in scores)
            for name, scores in self.groups.items()
        }
        return {name: round(count / self._hours(self.groups[name]), 1) for name, count in begins.items()}

    def _hours(self, scores: Array) -> float:
        return float(scores.shape[0] * scores.shape[1] * self.step_s / 3600)


def _counts(source: str, kind: str) -> bool:
    """Return whether false labels in a kind of sound of a data set raise thresholds.

    Voices and effects that nobody has labelled by ear do not count either, since they may well hold laughter or a cry.
    """
    by_ear = source not in LABELLED_BY_FOLDER or kind == "music"
    return by_ear and source not in SINGLE


def score_others(
    scorer: SteppedScorer, config: SoundsRunConfig, fold: int, data: Path, cache: Path
) -> OtherScores:
    """Return the scores of an exported sounds head in the sound of a fold that is none of its classes.

    Parameters
    ----------
    scorer : SteppedScorer
        Exported head, with its ear.
    config : SoundsRunConfig
        Configuration of the model's run, which names the data sets.
    fold : int
        Fold whose sound is scored.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    """
    model, ear = scorer.model, load_ear(config.ear)
    groups = {}
    loader = GroupLoader(ear, model.manifest.labels, data, cache)
    for name, embeddings in loader.others(config.learnt(config.others), config.other_hours, [fold]).each():
        scores, _ = model.step(embeddings, model.init(len(embeddings)))
        groups[name] = scores[:, scorer.warm_up_steps :]
    return OtherScores(groups, scorer.step_s)
