"""Metrics of scores against the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
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

DURATIONS_S = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0)
"""Times at which accuracy is given, as far as clips last."""
BATCH = 100
"""Resamples that are computed at once; it bounds the memory that they take."""
TINY = 1e-7
"""Lower limit of probabilities before their logarithm, so that no single step decides a clip alone."""

SoFar = Callable[[Array], Array]
"""Maps scores (clips, steps, labels) to the scores of a clip up to each step, of the same shape."""


def auc(positive: Array, negative: Array) -> float:
    """Return the area under the ROC curve: the chance that a positive scores above a negative; ties count half.

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores of positives and of negatives; at least one each.
    """
    return float(roc_auc_score(*_joined(positive, negative)))


def average_precision(positive: Array, negative: Array) -> float:
    """Return the mean of the precisions at each positive's score: the area under the precision-recall steps."""
    return float(average_precision_score(*_joined(positive, negative)))


def threshold_at_fpr(negative: Array, rate: float) -> float:
    """Return the score that at most a share `rate` of the negatives exceeds."""
    return float(np.quantile(negative, 1.0 - rate, method="higher"))


def tpr_at_fpr(positive: Array, negative: Array, rate: float) -> float:
    """Return the share of positives above `threshold_at_fpr`."""
    return float(np.mean(positive > threshold_at_fpr(negative, rate)))


def f1(positive: Array, negative: Array, threshold: float) -> float:
    """Return the F1 score, the harmonic mean of precision and recall, of ``score >= threshold``."""
    truth, scores = _joined(positive, negative)
    return float(f1_score(truth, scores >= threshold, zero_division=0.0))


def roc(positive: Array, negative: Array) -> tuple[Array, Array]:
    """Return the false-positive and true-positive rates over all thresholds, shape (points,) each."""
    false, true, _ = roc_curve(*_joined(positive, negative))
    return false, true


def precision_recall(positive: Array, negative: Array) -> tuple[Array, Array]:
    """Return precision and recall over all thresholds, shape (points,) each."""
    precision, recall, _ = precision_recall_curve(*_joined(positive, negative))
    return precision, recall


def mean_log(scores: Array) -> Array:
    """Average log-probabilities over the steps so far: each step counts as independent evidence.

    Parameters
    ----------
    scores : Array, shape (clips, steps, labels)
        Probabilities; NaN after a clip's end.

    Returns
    -------
    Array, shape (clips, steps, labels)
        Means, at most 0; after a clip's end, its final value.
    """
    return _mean_so_far(np.log(np.maximum(scores, TINY)))


def mean_probability(scores: Array) -> Array:
    """Average probabilities over the steps so far, with arguments and results like `mean_log`."""
    return _mean_so_far(scores)


def latest(scores: Array) -> Array:
    """Return the newest step alone, for a model that averages by itself; arguments and results are like `mean_log`."""
    last = np.maximum(np.sum(~np.isnan(scores[:, :, 0]), axis=1) - 1, 0)
    place = np.minimum(np.arange(scores.shape[1])[None], last[:, None])
    newest: Array = np.take_along_axis(scores, place[:, :, None], axis=1)
    return newest


def rule_of(predictions: Predictions) -> SoFar:
    """Return the function that combines a clip's steps, by the rule of the predictions."""
    rules = {"mean_log": mean_log, "mean_probability": mean_probability, "latest": latest}
    return rules[predictions.rule]


def by_clip(predictions: Predictions, so_far: SoFar | None = None, duration_s: float | None = None) -> Array:
    """Combine each clip's steps within `duration_s` seconds, by default all, using `so_far` or the predictions' rule.

    Returns
    -------
    Array, shape (clips, labels)

    Raises
    ------
    ValueError
        If `duration_s` is shorter than a step.
    """
    steps = predictions.scores.shape[1]
    if duration_s is not None:
        steps = min(steps, int(duration_s / predictions.step_s + 1e-6))  # 0.3 / 0.1 is a little less than 3
    if steps < 1:
        raise ValueError(f"duration_s is {duration_s}; expected at least one step of {predictions.step_s} s")
    sum_up = so_far or rule_of(predictions)
    return sum_up(predictions.scores[:, :steps])[:, -1]


def judged(predictions: Predictions) -> Array:
    """Return which clips have a true label, bool, shape (clips,)."""
    known: Array = predictions.truth != NO_LABEL
    return known


def accuracy(predictions: Predictions, so_far: SoFar | None = None, duration_s: float | None = None) -> float:
    """Return the share of the clips with a true label whose highest score is that label's."""
    return float(np.mean(right(predictions, so_far, duration_s)))


def right(predictions: Predictions, so_far: SoFar | None = None, duration_s: float | None = None) -> Array:
    """Return whether each clip that has a true label was classified rightly, bool, shape (judged clips,)."""
    known = judged(predictions)
    correct: Array = (
        by_clip(predictions, so_far, duration_s)[known].argmax(axis=1) == predictions.truth[known]
    )
    return correct


def accuracy_by_duration(
    predictions: Predictions, so_far: SoFar | None = None, seconds: Sequence[float] = DURATIONS_S
) -> dict[float, float]:
    """Return the accuracy after each of `seconds` that is at least a step and at most the longest clip."""
    return {s: accuracy(predictions, so_far, s) for s in durations_within(predictions, seconds)}


def durations_within(predictions: Predictions, seconds: Sequence[float] = DURATIONS_S) -> list[float]:
    """Return those of `seconds` that some clip lasts, to within a step."""
    longest = (predictions.scores.shape[1] + 1) * predictions.step_s
    return [s for s in seconds if predictions.step_s <= s <= longest]


def confusion(predictions: Predictions, so_far: SoFar | None = None) -> Array:
    """Return the confusion matrix: counts of clips, truth by row and prediction by column, shape (labels, labels)."""
    known = judged(predictions)
    predicted = by_clip(predictions, so_far)[known].argmax(axis=1)
    counts: Array = confusion_matrix(
        predictions.truth[known], predicted, labels=range(len(predictions.labels))
    )
    return counts


def most_confused(matrix: Array, count: int = 5) -> list[tuple[int, int, int]]:
    """Return the largest entries off the diagonal as (truth, prediction, clips), most clips first."""
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
    """Return figures of each label that has clips, worst F1 first. A label never predicted has precision 0."""
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


@dataclass(frozen=True)
class Spread:
    """A figure over folds: its mean, its sample standard deviation (0 for one fold), and each fold's value."""

    mean: float
    spread: float
    folds: dict[int, float]

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.spread:.3f}" if len(self.folds) > 1 else f"{self.mean:.3f}"


def over_folds(predictions: Predictions, figure: Callable[[Predictions], float]) -> Spread:
    """Compute a figure on the clips of each fold, and the mean and spread over folds."""
    folds = {
        int(fold): figure(select(predictions, predictions.folds == fold))
        for fold in np.unique(predictions.folds)
    }
    values = list(folds.values())
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0, folds)


def select(predictions: Predictions, wanted: Array) -> Predictions:
    """Return the predictions of some of the clips; `wanted` is bool, shape (clips,)."""
    return replace(
        predictions,
        clips=tuple(clip for clip, keep in zip(predictions.clips, wanted, strict=True) if keep),
        truth=predictions.truth[wanted],
        folds=predictions.folds[wanted],
        scores=predictions.scores[wanted],
        step_truth=None if predictions.step_truth is None else predictions.step_truth[wanted],
    )


def step_scores(predictions: Predictions) -> tuple[Array, Array]:
    """Return a detector's scores at the judged steps with and without its label, shape (steps,) each."""
    if predictions.step_truth is None:
        raise ValueError(f"predictions of {predictions.model} have no step_truth; expected a detector's")
    scores = predictions.scores[:, :, 0]
    there = ~np.isnan(scores)
    return scores[there & (predictions.step_truth == 1)], scores[there & (predictions.step_truth == 0)]


def steps_between(predictions: Predictions, first: int, stop: int) -> Predictions:
    """Return steps `first` to `stop` of the clips that have at least `stop` steps."""
    kept = select(predictions, predictions.steps >= stop)
    truth = None if kept.step_truth is None else kept.step_truth[:, first:stop]
    return replace(kept, scores=kept.scores[:, first:stop], step_truth=truth)


def bootstrap(values: Array, level: float = 0.95, draws: int = 2_000, seed: int = 0) -> tuple[float, float]:
    """Return the percentile bootstrap confidence interval of the mean of `values` (Efron 1979).

    Parameters
    ----------
    values : Array, shape (clips,)
        One value per clip, such as `right`. Whole clips are resampled, because the steps of a clip are not independent.
    level : float
        Probability that the interval holds the mean.
    draws, seed : int
        Number of resamples, and seed of the generator that draws them.
    """
    if len(values) < 2:  # nothing to resample, which SciPy refuses
        return float(np.mean(values)), float(np.mean(values))
    found = stats.bootstrap(
        (values.astype(np.float64),),
        np.mean,
        n_resamples=draws,
        batch=BATCH,
        confidence_level=level,
        method="percentile",
        rng=seed,
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _joined(positive: Array, negative: Array) -> tuple[Array, Array]:
    truth = np.concatenate([np.ones(len(positive), bool), np.zeros(len(negative), bool)])
    return truth, np.concatenate([positive, negative])


def _mean_so_far(values: Array) -> Array:
    there = ~np.isnan(values)
    means: Array = np.cumsum(np.where(there, values, 0.0), axis=1) / np.maximum(np.cumsum(there, axis=1), 1)
    return means
