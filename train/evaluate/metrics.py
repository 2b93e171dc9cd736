"""Figures of merit of scores against truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from streamer.arrays import Array
from train.evaluate.predictions import NO_LABEL, Predictions

HEARD_S = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0)
"""Where accuracy against time heard is told, as far as clips last."""
TINY = 1e-7
"""Probabilities are kept this far from 0 before their logarithm: one step must not decide a clip alone."""

SoFar = Callable[[Array], Array]
"""Scores (clips, steps, labels) to scores of what was heard up to each step, same shape."""


def auc(positive: Array, negative: Array) -> float:
    """Area under the ROC curve: the chance that a positive's score is above a negative's, ties counting half.

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores; at least one each.
    """
    return float(roc_auc_score(*_joined(positive, negative)))


def average_precision(positive: Array, negative: Array) -> float:
    """Mean of the precisions at each positive's score: the area under the precision-recall steps."""
    return float(average_precision_score(*_joined(positive, negative)))


def threshold_at_fpr(negative: Array, rate: float) -> float:
    """The score that at most a share `rate` of the negatives exceeds."""
    return float(np.quantile(negative, 1.0 - rate, method="higher"))


def tpr_at_fpr(positive: Array, negative: Array, rate: float) -> float:
    """Share of positives above `threshold_at_fpr`."""
    return float(np.mean(positive > threshold_at_fpr(negative, rate)))


def f1(positive: Array, negative: Array, threshold: float) -> float:
    """Harmonic mean of precision and recall of ``score >= threshold``."""
    truth, scores = _joined(positive, negative)
    return float(f1_score(truth, scores >= threshold, zero_division=0.0))


def roc(positive: Array, negative: Array) -> tuple[Array, Array]:
    """False- and true-positive rates over all thresholds, shape (points,) each."""
    false, true, _ = roc_curve(*_joined(positive, negative))
    return false, true


def precision_recall(positive: Array, negative: Array) -> tuple[Array, Array]:
    """Precision and recall over all thresholds, shape (points,) each."""
    precision, recall, _ = precision_recall_curve(*_joined(positive, negative))
    return precision, recall


def mean_log(scores: Array) -> Array:
    """Mean of log-probabilities over the steps heard so far: independent evidence, each step an equal vote.

    Parameters
    ----------
    scores : Array, shape (clips, steps, labels)
        Probabilities; NaN after a clip's end.

    Returns
    -------
    Array, shape (clips, steps, labels)
        Not above 0; after a clip's end, what it came to.
    """
    return _mean_so_far(np.log(np.maximum(scores, TINY)))


def mean_probability(scores: Array) -> Array:
    """Mean of probabilities over the steps heard so far; as `mean_log`."""
    return _mean_so_far(scores)


def latest(scores: Array) -> Array:
    """The newest step alone, after a clip's end its last: for a model that sums up by itself; as `mean_log`."""
    last = np.maximum(np.sum(~np.isnan(scores[:, :, 0]), axis=1) - 1, 0)
    place = np.minimum(np.arange(scores.shape[1])[None], last[:, None])
    newest: Array = np.take_along_axis(scores, place[:, :, None], axis=1)
    return newest


def rule_of(predictions: Predictions) -> SoFar:
    """How a clip's label comes of its steps' scores, as the predictions say."""
    rules = {"mean_log": mean_log, "mean_probability": mean_probability, "latest": latest}
    return rules[predictions.rule]


def by_clip(predictions: Predictions, so_far: SoFar | None = None, heard_s: float | None = None) -> Array:
    """One row of scores a clip, of its first `heard_s` seconds, or of all of it, by `so_far` or its own rule.

    Returns
    -------
    Array, shape (clips, labels)

    Raises
    ------
    ValueError
        If `heard_s` is shorter than a step.
    """
    steps = predictions.scores.shape[1]
    if heard_s is not None:
        steps = min(steps, int(heard_s / predictions.step_s + 1e-6))
    if steps < 1:
        raise ValueError(f"heard_s is {heard_s}; expected at least one step of {predictions.step_s} s")
    sum_up = so_far or rule_of(predictions)
    return sum_up(predictions.scores[:, :steps])[:, -1]


def judged(predictions: Predictions) -> Array:
    """Which clips have a truth, bool, shape (clips,)."""
    known: Array = predictions.truth != NO_LABEL
    return known


def accuracy(predictions: Predictions, so_far: SoFar | None = None, heard_s: float | None = None) -> float:
    """Share of the clips with a truth whose highest score is it."""
    return float(np.mean(right(predictions, so_far, heard_s)))


def right(predictions: Predictions, so_far: SoFar | None = None, heard_s: float | None = None) -> Array:
    """Whether each clip with a truth was said rightly, bool, shape (clips with a truth,)."""
    known = judged(predictions)
    correct: Array = by_clip(predictions, so_far, heard_s)[known].argmax(axis=1) == predictions.truth[known]
    return correct


def accuracy_by_heard(
    predictions: Predictions, so_far: SoFar | None = None, seconds: Sequence[float] = HEARD_S
) -> dict[float, float]:
    """Accuracy after each of `seconds` that is at least a step and not beyond the longest clip."""
    return {s: accuracy(predictions, so_far, s) for s in heard_points(predictions, seconds)}


def heard_points(predictions: Predictions, seconds: Sequence[float] = HEARD_S) -> list[float]:
    """Those of `seconds` that some clip lasts, to within a step."""
    longest = (predictions.scores.shape[1] + 1) * predictions.step_s
    return [s for s in seconds if predictions.step_s <= s <= longest]


def confusion(predictions: Predictions, so_far: SoFar | None = None) -> Array:
    """Counts of clips, truth by row and what was said by column, int, shape (labels, labels)."""
    known = judged(predictions)
    said = by_clip(predictions, so_far)[known].argmax(axis=1)
    counts: Array = confusion_matrix(predictions.truth[known], said, labels=range(len(predictions.labels)))
    return counts


def most_confused(matrix: Array, count: int = 5) -> list[tuple[int, int, int]]:
    """Pairs (truth, said, clips) off the diagonal of a confusion matrix, most clips first."""
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [(int(place // len(wrong)), int(place % len(wrong))) for place in order]
    return [(truth, said, int(wrong[truth, said])) for truth, said in pairs if wrong[truth, said]]


@dataclass(frozen=True)
class LabelFigures:
    """Precision, recall and F1 (0 to 1) of one label, and how many clips are it."""

    label: str
    precision: float
    recall: float
    f1: float
    clips: int


def by_label(predictions: Predictions, so_far: SoFar | None = None) -> list[LabelFigures]:
    """Figures of each label that has clips, worst F1 first. A label that was never said has precision 0."""
    known = judged(predictions)
    said = by_clip(predictions, so_far)[known].argmax(axis=1)
    figures = precision_recall_fscore_support(
        predictions.truth[known], said, labels=range(len(predictions.labels)), zero_division=0.0
    )
    found = [
        LabelFigures(label, float(p), float(r), float(f), int(clips))
        for label, p, r, f, clips in zip(predictions.labels, *figures, strict=True)
        if clips
    ]
    return sorted(found, key=lambda figures: figures.f1)


@dataclass(frozen=True)
class Spread:
    """A figure over folds: mean, sample standard deviation (0 for one fold), and each fold's own."""

    mean: float
    spread: float
    folds: dict[int, float]

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.spread:.3f}" if len(self.folds) > 1 else f"{self.mean:.3f}"


def over_folds(predictions: Predictions, figure: Callable[[Predictions], float]) -> Spread:
    """A figure of each fold's clips alone, and their mean and spread."""
    folds = {
        int(fold): figure(select(predictions, predictions.folds == fold))
        for fold in np.unique(predictions.folds)
    }
    values = list(folds.values())
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0, folds)


def select(predictions: Predictions, wanted: Array) -> Predictions:
    """Some of the clips; `wanted` is bool, shape (clips,)."""
    return replace(
        predictions,
        clips=tuple(clip for clip, keep in zip(predictions.clips, wanted, strict=True) if keep),
        truth=predictions.truth[wanted],
        folds=predictions.folds[wanted],
        scores=predictions.scores[wanted],
        step_truth=None if predictions.step_truth is None else predictions.step_truth[wanted],
    )


def step_scores(predictions: Predictions) -> tuple[Array, Array]:
    """A detector's scores at the judged steps where it sounds, and where it does not, shape (steps,) each."""
    if predictions.step_truth is None:
        raise ValueError(f"predictions of {predictions.model} have no step_truth; expected a detector's")
    scores = predictions.scores[:, :, 0]
    there = ~np.isnan(scores)
    return scores[there & (predictions.step_truth == 1)], scores[there & (predictions.step_truth == 0)]


def steps_between(predictions: Predictions, first: int, stop: int) -> Predictions:
    """Steps `first` to `stop` alone of the clips that reach so far."""
    kept = select(predictions, predictions.steps >= stop)
    truth = None if kept.step_truth is None else kept.step_truth[:, first:stop]
    return replace(kept, scores=kept.scores[:, first:stop], step_truth=truth)


def bootstrap(values: Array, level: float = 0.95, draws: int = 2_000, seed: int = 0) -> tuple[float, float]:
    """Percentile confidence interval of the mean of `values`, one a clip (Efron 1979).

    Parameters
    ----------
    values : Array, shape (clips,)
        Such as `right`. Whole clips are drawn anew: the steps of one are not independent.
    level : float
        Chance that the interval holds the mean.
    draws, seed : int
    """
    rng = np.random.default_rng(seed)
    means = [rng.choice(values, len(values)).mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _joined(positive: Array, negative: Array) -> tuple[Array, Array]:
    truth = np.concatenate([np.ones(len(positive), bool), np.zeros(len(negative), bool)])
    return truth, np.concatenate([positive, negative])


def _mean_so_far(values: Array) -> Array:
    there = ~np.isnan(values)
    means: Array = np.cumsum(np.where(there, values, 0.0), axis=1) / np.maximum(np.cumsum(there, axis=1), 1)
    return means
