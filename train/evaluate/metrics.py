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
"""Times after the start of a clip, in seconds, at which accuracy is given, as far as clips last."""
BATCH = 100
"""Resamples that are computed at once; it bounds the memory that they take."""
TINY = 1e-7
"""Lower limit of probabilities before their logarithm, so that no single step decides a clip alone."""

SoFar = Callable[[Array], Array]
"""Function from the scores of single steps, (clips, steps, labels), to scores of each clip from its start up to each
step, of the same shape."""


def auc(positive: Array, negative: Array) -> float:
    """Return the area under the ROC curve: the chance that a positive scores above a negative; ties count half.

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores of positives and of negatives; at least one each.
    """
    return float(roc_auc_score(*_joined(positive, negative)))


def average_precision(positive: Array, negative: Array) -> float:
    """Return the mean of the precisions at each positive's score: the area under the precision-recall steps, 0 to 1.

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores of positives and of negatives; at least one each.
    """
    return float(average_precision_score(*_joined(positive, negative)))


def threshold_at_fpr(negative: Array, rate: float) -> float:
    """Return the score that at most a share `rate` of the negatives exceeds: the threshold at a false-positive rate.

    Parameters
    ----------
    negative : Array, shape (any,)
        Scores of negatives; at least one.
    rate : float
        Share of the negatives, 0 to 1.
    """
    return float(np.quantile(negative, 1.0 - rate, method="higher"))


def tpr_at_fpr(positive: Array, negative: Array, rate: float) -> float:
    """Return the share of positives, 0 to 1, above the score that the share `rate` of the negatives exceeds.

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores of positives and of negatives; at least one each.
    rate : float
        False-positive rate, 0 to 1.
    """
    return float(np.mean(positive > threshold_at_fpr(negative, rate)))


def f1(positive: Array, negative: Array, threshold: float) -> float:
    """Return F1, the harmonic mean of precision and recall, of the decisions ``score >= threshold``; 0 to 1.

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores of positives and of negatives; at least one each.
    threshold : float
        Score from which a decision is positive.
    """
    truth, scores = _joined(positive, negative)
    return float(f1_score(truth, scores >= threshold, zero_division=0.0))


def roc(positive: Array, negative: Array) -> tuple[Array, Array]:
    """Return the ROC curve: false-positive and true-positive rates over all thresholds, shape (points,) each.

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores of positives and of negatives; at least one each.
    """
    false, true, _ = roc_curve(*_joined(positive, negative))
    return false, true


def precision_recall(positive: Array, negative: Array) -> tuple[Array, Array]:
    """Return precision and recall over all thresholds, shape (points,) each.

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores of positives and of negatives; at least one each.
    """
    precision, recall, _ = precision_recall_curve(*_joined(positive, negative))
    return precision, recall


def mean_log(scores: Array) -> Array:
    """Return for each step the mean of log-probabilities from the clip's start on: steps count as independent evidence.

    Parameters
    ----------
    scores : Array, shape (clips, steps, labels)
        Probabilities; NaN after a clip's end.

    Returns
    -------
    Array, shape (clips, steps, labels)
        Means of logarithms, at most 0; after a clip's end, the mean at its end.
    """
    return _mean_so_far(np.log(np.maximum(scores, TINY)))


def mean_probability(scores: Array) -> Array:
    """Return for each step the mean of probabilities from the clip's start on; shapes are those of `mean_log`."""
    return _mean_so_far(scores)


def latest(scores: Array) -> Array:
    """Return for each step its own scores, for a model that averages by itself; after a clip's end, those at its end.

    Shapes are those of `mean_log`.
    """
    last = np.maximum(np.sum(~np.isnan(scores[:, :, 0]), axis=1) - 1, 0)
    place = np.minimum(np.arange(scores.shape[1])[None], last[:, None])
    newest: Array = np.take_along_axis(scores, place[:, :, None], axis=1)
    return newest


def rule_of(predictions: Predictions) -> SoFar:
    """Return the function that combines the scores of a clip's steps, by the rule that the predictions name."""
    rules = {"mean_log": mean_log, "mean_probability": mean_probability, "latest": latest}
    return rules[predictions.rule]


def by_clip(predictions: Predictions, so_far: SoFar | None = None, duration_s: float | None = None) -> Array:
    """Return one score for each clip and label, combined from the scores of the clip's steps.

    Parameters
    ----------
    predictions : Predictions
        Scores of the clips, step by step, with the truth.
    so_far : callable, optional
        Function that combines the steps, such as `mean_log`; by default the one that the predictions name.
    duration_s : float, optional
        Seconds from the start of a clip whose steps are used; by default all.

    Returns
    -------
    Array, shape (clips, labels)
        Scores after the steps of a clip, on the scale of the function that combines them.

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


@dataclass(frozen=True)
class Spread:
    """A figure over folds: its mean, its sample standard deviation (0 for one fold), and its value for each fold."""

    mean: float
    spread: float
    folds: dict[int, float]

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.spread:.3f}" if len(self.folds) > 1 else f"{self.mean:.3f}"


def over_folds(predictions: Predictions, figure: Callable[[Predictions], float]) -> Spread:
    """Return the mean and spread over folds of a figure that `figure` computes from the predictions of one fold."""
    folds = {
        int(fold): figure(select(predictions, predictions.folds == fold))
        for fold in np.unique(predictions.folds)
    }
    values = list(folds.values())
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0, folds)


def select(predictions: Predictions, wanted: Array) -> Predictions:
    """Return the predictions of the clips for which `wanted`, bool, shape (clips,), is True."""
    return replace(
        predictions,
        clips=tuple(clip for clip, keep in zip(predictions.clips, wanted, strict=True) if keep),
        truth=predictions.truth[wanted],
        folds=predictions.folds[wanted],
        scores=predictions.scores[wanted],
        step_truth=None if predictions.step_truth is None else predictions.step_truth[wanted],
    )


def step_scores(predictions: Predictions) -> tuple[Array, Array]:
    """Return a detector's scores at the steps with its label, and at those without it, shape (steps,) each.

    Steps whose truth is not judged are left out.
    """
    if predictions.step_truth is None:
        raise ValueError(f"predictions of {predictions.model} have no step_truth; expected a detector's")
    scores = predictions.scores[:, :, 0]
    there = ~np.isnan(scores)
    return scores[there & (predictions.step_truth == 1)], scores[there & (predictions.step_truth == 0)]


def steps_between(predictions: Predictions, first: int, stop: int) -> Predictions:
    """Return the predictions of the steps from `first` to before `stop`, of clips that have that many steps."""
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
