"""Calibration of probabilities and choice of thresholds, both fitted on validation data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, logit
from sklearn.metrics import precision_recall_curve

from streamer.arrays import Array
from streamer.errors import ConfigError
from streamer.inference.manifest import Thresholds

TEMPERATURES = (0.05, 20.0)
"""Lowest and highest temperature of the search."""
PRIOR_POSITIVES = 20
"""Number of positives of a label at which the threshold of this label alone and the threshold of all labels together
have the same weight."""
MISSED = 0.03
"""Share of the scores of a label, where the label sounds, that may lie below the threshold ``off``."""
ODDS_RATIOS = (3.0, 30.0)
"""Least and largest ratio of the odds of ``on`` to those of ``off``.

With a smaller ratio decisions would flap; with a larger one they would end too late."""
NEVER = 1e-6
"""Thresholds stay this far from 0 and 1, so that their odds are finite."""


def fit_softmax_temperature(logits: Array, truth: Array, doubt: float = 0.0) -> float:
    """Return the temperature that makes ``softmax(logits / temperature)`` most likely (Guo et al. 2017, section 4.2).

    Parameters
    ----------
    logits : Array, shape (clips, labels)
        Logits, or logarithms of probabilities, which differ from logits by a constant for each clip.
    truth : int array, shape (clips,)
        Label of each clip.
    doubt : float
        Share of the truth that is spread over all labels, 0 to 1 (label smoothing). It is needed where there are few
        clips and the model is right in all of them, which is no proof of certainty.

    Returns
    -------
    float
        Temperature; above 1 if the model was overconfident.

    Raises
    ------
    ConfigError
        If there are no clips, or the best temperature is at an edge of `TEMPERATURES`.
    """
    rows = np.arange(len(truth))

    def loss(temperature: float) -> float:
        logs = log_softmax(logits / temperature, axis=1)
        return -float((1 - doubt) * np.mean(logs[rows, truth]) + doubt * np.mean(logs))

    return _fit_temperature(loss, logits)


def fit_sigmoid_temperature(logits: Array, truth: Array) -> float:
    """Return the temperature that makes ``sigmoid(logits / temperature)`` most likely, given the truth.

    Parameters
    ----------
    logits : Array, shape (any,)
        Logits of a validation fold.
    truth : Array of 0 and 1, shape of `logits`
        Whether the label of each logit is present.

    Returns
    -------
    float
        Temperature; above 1 if the model was overconfident.

    Raises
    ------
    ConfigError
        If there are no logits, or the best temperature is at an edge of `TEMPERATURES`.
    """
    signed = np.where(truth == 1, logits, -logits)
    return _fit_temperature(lambda t: float(np.mean(np.logaddexp(0.0, -signed / t))), logits)


def fit_platt(logits: Array, truth: Array) -> tuple[float, float]:
    """Return the temperature and the bias that make ``sigmoid(logits / temperature + bias)`` most likely (Platt 1999).

    Parameters
    ----------
    logits : Array, shape (any,)
        Logits of a validation fold.
    truth : Array of 0 and 1, shape of `logits`
        Whether the label of each logit is present.

    Returns
    -------
    temperature, bias : float
        Temperature within `TEMPERATURES`, and bias from -10 to 10.

    Raises
    ------
    ConfigError
        If all of `truth` is 0 or all is 1, since there is nothing to fit then.
    """
    if not 0 < np.mean(truth) < 1:
        raise ConfigError(
            f"{int(np.sum(truth))} of {truth.size} validation scores are of what sounds; expected some of each"
        )
    sign = np.where(truth == 1, 1.0, -1.0)

    def loss(found: Array) -> float:
        return float(np.mean(np.logaddexp(0.0, -sign * (np.exp(found[0]) * logits + found[1]))))

    low, high = np.log(TEMPERATURES)
    best = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=((low, high), (-10.0, 10.0)))
    return float(np.exp(-best.x[0])), float(best.x[1])


def _fit_temperature(loss: Callable[[float], float], logits: Array) -> float:
    if not logits.size:
        raise ConfigError("no validation scores to fit a temperature on; expected at least one clip")
    # The search is over the logarithm, because a temperature acts as a ratio.
    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(lambda log_t: loss(float(np.exp(log_t))), bounds=(low, high), method="bounded")
    if not low + 1e-3 < found.x < high - 1e-3:
        raise ConfigError(
            f"the likeliest temperature is at {np.exp(found.x):.3g}, the edge of {TEMPERATURES}; expected one between: "
            "validate on data that the model neither learnt by heart nor guesses at"
        )
    return float(np.exp(found.x))


@dataclass(frozen=True)
class Reliability:
    """Reliability diagram as numbers: how often a model was right, for confidences in bins of equal width.

    Attributes
    ----------
    confidence, share : float array, shape (bins,)
        Mean confidence in each bin, and share of right ones in it, both 0 to 1; NaN in an empty bin.
    counts : int array, shape (bins,)
        Number of confidences in each bin.
    """

    confidence: Array
    share: Array
    counts: Array

    @property
    def expected_error(self) -> float:
        """Expected calibration error, 0 to 1: mean gap of the two, weighted by `counts` (Naeini et al. 2015)."""
        full = self.counts > 0
        gaps = np.abs(self.confidence[full] - self.share[full])
        return float(np.sum(gaps * self.counts[full]) / self.counts.sum())


def compute_reliability(confidence: Array, right: Array, bins: int = 15) -> Reliability:
    """Return how often a model was right at each confidence, to see whether its probabilities are honest.

    Of a classifier, the confidence is the probability of the likeliest label, and `right` says whether that was the
    true one. Of a detector of one label, the confidence is its score, and `right` says whether the label is present.

    Parameters
    ----------
    confidence : float array, shape (n,)
        Confidences from 0 to 1, of `n` clips or steps; at least one.
    right : bool array, shape (n,)
        Whether the model was right with each.
    bins : int
        Number of equally wide bins from 0 to 1 into which the confidences are sorted.

    Returns
    -------
    Reliability
        Mean confidence, share of right ones and number in each bin, as arrays of shape (bins,).

    Raises
    ------
    ConfigError
        If there are no confidences.
    """
    if not len(confidence):
        raise ConfigError("no scores to hold against their confidence; expected at least one")
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):  # 0 / 0 in empty bins gives the NaN that they are to have
        return Reliability(
            np.bincount(place, confidence, bins) / counts, np.bincount(place, right, bins) / counts, counts
        )


@dataclass(frozen=True)
class Goal:
    """Aim for which a threshold is chosen.

    Attributes
    ----------
    kind : {"precision", "recall", "f1"}
        Aim: ``precision`` reaches the precision `value` with the highest recall, ``recall`` reaches the recall `value`
        with the highest precision, and ``f1`` has the highest F1.
    value : float
        Precision or recall to reach, 0 to 1; ignored for F1.
    """

    kind: Literal["precision", "recall", "f1"]
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in ("precision", "recall", "f1") or not 0 <= self.value <= 1:
            raise ConfigError(
                f"goal is {self.kind!r} {self.value:g}; expected precision, recall or f1, and a value from 0 to 1"
            )


def goals_by_preference(precision: float, recall: float) -> dict[str, Goal]:
    """Return the goals of the three preferences: ``balanced`` (best F1), ``precision`` and ``recall``."""
    return {
        "balanced": Goal("f1"),
        "precision": Goal("precision", precision),
        "recall": Goal("recall", recall),
    }


def order_points(points: Mapping[str, Sequence[Thresholds]]) -> dict[str, tuple[Thresholds, ...]]:
    """Return thresholds in order: ``precision`` has at least, ``recall`` at most the thresholds of ``balanced``.

    On easy data the threshold that reaches a precision may lie below that of the best F1, which reaches the precision
    as well. The preference ``precision`` then takes the threshold of the best F1.

    Parameters
    ----------
    points : mapping of str to sequence of Thresholds
        Thresholds of each label by preference, as in `goals_by_preference`; each preference has the same number.
    """
    balanced, on = points["balanced"], attrgetter("on")
    return {
        "balanced": tuple(balanced),
        "precision": tuple(max(pair, key=on) for pair in zip(points["precision"], balanced, strict=True)),
        "recall": tuple(min(pair, key=on) for pair in zip(points["recall"], balanced, strict=True)),
    }


def choose_threshold(scores: Array, positive: Array, goal: Goal) -> float:
    """Return the threshold, 0 to 1, that meets a goal on validation data, for decisions ``score >= threshold``.

    If no threshold reaches the precision of the goal, the one with the highest precision is chosen.

    Parameters
    ----------
    scores : Array, shape (any,)
        Probabilities.
    positive : bool array, shape of `scores`
        Whether each score belongs to a positive, such as a clip with the label; at least one is True and one False.
    goal : Goal
        Aim of the choice, such as a precision.

    Raises
    ------
    ConfigError
        If `positive` is True for all scores, or for none.
    """
    if not positive.any() or positive.all():
        raise ConfigError(
            f"{np.sum(positive)} of {len(positive)} validation scores are positives; expected some of each: a "
            "threshold needs both"
        )
    precision, recall, at = precision_recall_curve(positive, scores)
    precision, recall = precision[:-1], recall[:-1]  # the last point is "no positives" and has no threshold
    if goal.kind == "precision":
        met = precision >= goal.value
        best = np.argmax(np.where(met, recall, -1.0)) if met.any() else np.argmax(precision)
    elif goal.kind == "recall":
        best = np.argmax(np.where(recall >= goal.value, precision, -1.0))
    else:
        best = np.argmax(2 * precision * recall / np.maximum(precision + recall, NEVER))
    return float(np.clip(at[best], NEVER, 1 - NEVER))


def operating_point(on: float, positives: Array) -> Thresholds:
    """Return the thresholds ``on``, as given, and ``off``, below which `MISSED` of the positives' scores lie.

    The odds of ``off`` are kept between a thirtieth and a third of the odds of ``on`` (`ODDS_RATIOS`).

    Parameters
    ----------
    on : float
        Threshold from which a label begins, 0 to 1 exclusive.
    positives : array, shape (any,)
        Scores where the label sounds, 0 to 1; without any, ``off`` is as low as it may be.
    """
    least, most = ODDS_RATIOS
    missed = logit(np.clip(np.quantile(positives, MISSED), NEVER, 1 - NEVER)) if len(positives) else -np.inf
    return Thresholds(on, float(expit(np.clip(missed, logit(on) - np.log(most), logit(on) - np.log(least)))))


def operating_points(scores: Array, truth: Array, goal: Goal) -> list[Thresholds]:
    """Return the thresholds of every label; those of labels with few positives are drawn towards a common one.

    The common threshold is chosen on the scores of all labels together. A label's own threshold, from ``n`` positives,
    and the common one are averaged as log-odds with the weights ``n`` and `PRIOR_POSITIVES`. A label without positives
    takes the common one.

    Parameters
    ----------
    scores : Array, shape (clips, labels)
        Probabilities on validation data.
    truth : Array of 0 and 1, shape (clips, labels)
        Whether each label is present in each clip.
    goal : Goal
        Aim of the choice, such as a precision.

    Returns
    -------
    list of Thresholds
        Thresholds in the order of the labels.
    """
    truth = truth.astype(bool)
    pooled = logit(choose_threshold(scores.ravel(), truth.ravel(), goal))
    points = []
    for own_scores, positive in zip(scores.T, truth.T, strict=True):
        count, log_odds = int(positive.sum()), pooled
        if 0 < count < len(positive):
            own = logit(choose_threshold(own_scores, positive, goal))
            log_odds = (count * own + PRIOR_POSITIVES * pooled) / (count + PRIOR_POSITIVES)
        points.append(operating_point(float(expit(log_odds)), own_scores[positive]))
    return points
