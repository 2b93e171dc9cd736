"""Figures of a model that gives each clip one of several labels: accuracy, confusion, figures of each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import (
    confusion_matrix,
    precision_recall_fscore_support,
)

from streamer.arrays import Array
from train.evaluate.metrics.clip_scores import TINY, SoFar, by_clip
from train.evaluate.metrics.spread import bootstrap
from train.evaluate.predictions import NO_LABEL, Predictions

DURATIONS_S = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0)
"""Times after the start of a clip, in seconds, at which accuracy is given, as far as clips last."""


def judged(predictions: Predictions) -> Array:
    """Return which clips have a true label, bool, shape (clips,)."""
    known: Array = predictions.truth != NO_LABEL
    return known


def accuracy(predictions: Predictions, so_far: SoFar | None = None, duration_s: float | None = None) -> float:
    """Return the share, 0 to 1, of the clips with a true label whose highest score is that of this label.

    Arguments are those of `by_clip`.
    """
    return float(np.mean(right(predictions, so_far, duration_s)))


def right(predictions: Predictions, so_far: SoFar | None = None, duration_s: float | None = None) -> Array:
    """Return whether each clip that has a true label was classified rightly, bool, shape (clips with a label,).

    Arguments are those of `by_clip`.
    """
    known = judged(predictions)
    correct: Array = (
        by_clip(predictions, so_far, duration_s)[known].argmax(axis=1) == predictions.truth[known]
    )
    return correct


def accuracy_by_duration(
    predictions: Predictions, so_far: SoFar | None = None, seconds: Sequence[float] = DURATIONS_S
) -> dict[float, float]:
    """Return the accuracy after each of `seconds`, by the number of seconds, as far as clips last."""
    return {s: accuracy(predictions, so_far, s) for s in durations_within(predictions, seconds)}


def durations_within(predictions: Predictions, seconds: Sequence[float] = DURATIONS_S) -> list[float]:
    """Return those of `seconds` that are at least a step and that some clip lasts, to within a step."""
    longest = (predictions.scores.shape[1] + 1) * predictions.step_s
    return [s for s in seconds if predictions.step_s <= s <= longest]


def confusion(predictions: Predictions, so_far: SoFar | None = None) -> Array:
    """Return the confusion matrix, counts of clips, shape (labels, labels): rows are true, columns predicted labels.

    Arguments are those of `by_clip`.
    """
    known = judged(predictions)
    predicted = by_clip(predictions, so_far)[known].argmax(axis=1)
    counts: Array = confusion_matrix(
        predictions.truth[known], predicted, labels=range(len(predictions.labels))
    )
    return counts


def most_confused(matrix: Array, count: int = 5) -> list[tuple[int, int, int]]:
    """Return the largest entries off the diagonal of a confusion matrix, the largest first.

    Parameters
    ----------
    matrix : int array, shape (labels, labels)
        Result of `confusion`.
    count : int
        Largest number of entries.

    Returns
    -------
    list of tuple of int
        Index of the true label, index of the predicted label, and number of clips, which is above 0.
    """
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [(int(place // len(wrong)), int(place % len(wrong))) for place in order]
    return [
        (truth, taken_for, int(count)) for truth, taken_for in pairs if (count := wrong[truth, taken_for])
    ]


@dataclass(frozen=True)
class LabelFigures:
    """Precision, recall and F1 (0 to 1) of one label, and the number of its clips."""

    label: str
    precision: float
    recall: float
    f1: float
    clips: int


def by_label(predictions: Predictions, so_far: SoFar | None = None) -> list[LabelFigures]:
    """Return precision, recall and F1 of each label that has clips, the worst F1 first.

    A label that is never predicted has precision 0. Arguments are those of `by_clip`.
    """
    known = judged(predictions)
    predicted = by_clip(predictions, so_far)[known].argmax(axis=1)
    figures = precision_recall_fscore_support(
        predictions.truth[known], predicted, labels=range(len(predictions.labels)), zero_division=0.0
    )
    found = [
        LabelFigures(label, float(p), float(r), float(f), int(clips))
        for label, p, r, f, clips in zip(predictions.labels, *figures, strict=True)
        if clips
    ]
    return sorted(found, key=lambda figures: figures.f1)


def clip_accuracy(predictions: Predictions) -> dict[str, Any]:
    """Return the number of clips, the accuracy, and a text with its 95 % interval over clips drawn anew.

    Parameters
    ----------
    predictions : Predictions
        Predictions of clips that all have a true label.
    """
    correct = right(predictions)
    low, high = bootstrap(correct)
    return {
        "clips": len(correct),
        "accuracy": round(float(np.mean(correct)), 4),
        "95 % of resampled clips": f"{low:.3f} to {high:.3f}",
    }


def ranked(predictions: Predictions, first: int = 3) -> dict[str, float]:
    """Return how often the true label is among the likeliest ones, and the cross entropy.

    Parameters
    ----------
    predictions : Predictions
        Predictions of clips that all have a true label, whose rule gives probabilities.
    first : int
        Number of labels that count as the likeliest.

    Returns
    -------
    dict
        ``top-3 accuracy``, with the number `first`, 0 to 1; ``cross entropy``: mean of the negative natural logarithm
        of the true label's probability, which is limited to 1e-7 from below.
    """
    scores = by_clip(predictions)
    of_truth = scores[np.arange(len(scores)), predictions.truth]
    rank = np.sum(scores > of_truth[:, None], axis=1)
    return {
        f"top-{first} accuracy": round(float(np.mean(rank < first)), 4),
        "cross entropy": round(float(-np.mean(np.log(np.maximum(of_truth, TINY)))), 4),
    }


def precision_and_recall(predictions: Predictions) -> dict[str, str]:
    """Return a text such as ``0.91 0.86 of 40``, precision, recall and clips, by the label, the worst label first."""
    return {
        label.label: f"{label.precision:.2f} {label.recall:.2f} of {label.clips}"
        for label in by_label(predictions)
    }


def confused_pairs(predictions: Predictions, count: int = 8) -> dict[str, int]:
    """Return the numbers of clips by texts such as ``rain as wind``, true label first, the most frequent first."""
    labels = predictions.labels
    pairs = most_confused(confusion(predictions), count)
    return {f"{labels[truth]} as {labels[predicted]}": clips for truth, predicted, clips in pairs}
