"""Probabilities that mean what they say, and thresholds that keep a promise; both fitted on validation data."""

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
"""Between these a temperature is sought."""
PRIOR_POSITIVES = 20
"""With as many positives as this, a label's own threshold and the one of all labels weigh the same."""
MISSED = 0.03
"""Share of a label's positives that ``off`` may cut off."""
ODDS_RATIOS = (3.0, 30.0)
"""The odds of ``off`` are at least and at most so much below those of ``on``: no flapping, and no sticking."""
NEVER = 1e-6
"""Thresholds stay this far from 0 and 1, so that their odds are finite."""


def softmax_temperature(logits: Array, truth: Array, doubt: float = 0.0) -> float:
    """The temperature that makes ``softmax(logits / temperature)`` likeliest (Guo et al. 2017, section 4.2).

    Parameters
    ----------
    logits : Array, shape (clips, labels)
        Or logarithms of probabilities, which differ by a constant a clip.
    truth : int array, shape (clips,)
    doubt : float
        Share of each clip that might be of any label, 0 to 1: few clips, all said rightly, make nothing certain.

    Returns
    -------
    float
        Above 1 where the model was too sure of itself.

    Raises
    ------
    ConfigError
        If there are no clips, or none fits in `TEMPERATURES`.
    """
    rows = np.arange(len(truth))

    def loss(temperature: float) -> float:
        said = log_softmax(logits / temperature, axis=1)
        return -float((1 - doubt) * np.mean(said[rows, truth]) + doubt * np.mean(said))

    return _temperature(loss, logits)


def sigmoid_temperature(logits: Array, truth: Array) -> float:
    """The same for ``sigmoid(logits / temperature)``.

    Parameters
    ----------
    logits : Array, shape (any)
    truth : Array of 0 and 1, shape of `logits`
    """
    signed = np.where(truth == 1, logits, -logits)
    return _temperature(lambda t: float(np.mean(np.logaddexp(0.0, -signed / t))), logits)


def platt(logits: Array, truth: Array) -> tuple[float, float]:
    """Temperature and bias that make ``sigmoid(logits / temperature + bias)`` likeliest (Platt 1999).

    Parameters
    ----------
    logits : Array, shape (any,)
    truth : Array of 0 and 1, shape of `logits`

    Raises
    ------
    ConfigError
        If all or none are true: there is nothing to fit.
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


def _temperature(loss: Callable[[float], float], logits: Array) -> float:
    if not logits.size:
        raise ConfigError("no validation scores to fit a temperature on; expected at least one clip")
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
    """How often what was said with a confidence is so, by bins of equal width.

    Attributes
    ----------
    confidence, share : Array, shape (bins,)
        Mean confidence and share that was right; NaN in an empty bin.
    counts : int array, shape (bins,)
    """

    confidence: Array
    share: Array
    counts: Array

    @property
    def expected_error(self) -> float:
        """Expected calibration error: the mean gap of confidence and share, by counts (Naeini et al. 2015)."""
        full = self.counts > 0
        gaps = np.abs(self.confidence[full] - self.share[full])
        return float(np.sum(gaps * self.counts[full]) / self.counts.sum())


def reliability(confidence: Array, right: Array, bins: int = 15) -> Reliability:
    """Sort confidences (0 to 1) into bins. For a detector: its score, and whether it sounds.

    Parameters
    ----------
    confidence : Array, shape (any,)
        At least one.
    right : bool array, shape of `confidence`
    bins : int

    Raises
    ------
    ConfigError
        If there is none.
    """
    if not len(confidence):
        raise ConfigError("no scores to hold against their confidence; expected at least one")
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            np.bincount(place, confidence, bins) / counts, np.bincount(place, right, bins) / counts, counts
        )


@dataclass(frozen=True)
class Goal:
    """What a threshold is chosen for.

    Attributes
    ----------
    kind : {"precision", "recall", "f1"}
        Least precision with the most recall; least recall with the most precision; or the best F1.
    value : float
        That precision or recall, 0 to 1; of no meaning for F1.
    """

    kind: Literal["precision", "recall", "f1"]
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in ("precision", "recall", "f1") or not 0 <= self.value <= 1:
            raise ConfigError(
                f"goal is {self.kind!r} {self.value:g}; expected precision, recall or f1, and a value from 0 to 1"
            )


def preferred(precision: float, recall: float) -> dict[str, Goal]:
    """What is asked for by each preference: the best F1, or a precision, or a recall."""
    return {
        "balanced": Goal("f1"),
        "precision": Goal("precision", precision),
        "recall": Goal("recall", recall),
    }


def in_order(points: Mapping[str, Sequence[Thresholds]]) -> dict[str, tuple[Thresholds, ...]]:
    """Points of which ``precision`` is never reached sooner than ``balanced``, and ``recall`` never later.

    On easy data the point of a precision may lie below that of the best F1, which meets it as well; who prefers
    precision then gets the latter.

    Parameters
    ----------
    points : mapping of str to sequence of Thresholds
        By preference, of `preferred`, each with as many.
    """
    balanced, on = points["balanced"], attrgetter("on")
    return {
        "balanced": tuple(balanced),
        "precision": tuple(max(pair, key=on) for pair in zip(points["precision"], balanced, strict=True)),
        "recall": tuple(min(pair, key=on) for pair in zip(points["recall"], balanced, strict=True)),
    }


def threshold(scores: Array, positive: Array, goal: Goal) -> float:
    """The threshold that meets a goal on validation data, as ``score >= threshold``.

    Where no threshold has the precision asked for, it is the one that has the most.

    Parameters
    ----------
    scores : Array, shape (any,)
        Probabilities.
    positive : bool array, shape of `scores`
        At least one of each.

    Raises
    ------
    ConfigError
        If all or none are positive.
    """
    if not positive.any() or positive.all():
        raise ConfigError(
            f"{np.sum(positive)} of {len(positive)} validation scores are positives; expected some of each: a "
            "threshold needs both"
        )
    precision, recall, at = precision_recall_curve(positive, scores)
    precision, recall = (
        precision[:-1],
        recall[:-1],
    )  # the last point is "nothing is said" and has no threshold
    if goal.kind == "precision":
        met = precision >= goal.value
        best = np.argmax(np.where(met, recall, -1.0)) if met.any() else np.argmax(precision)
    elif goal.kind == "recall":
        best = np.argmax(np.where(recall >= goal.value, precision, -1.0))
    else:
        best = np.argmax(2 * precision * recall / np.maximum(precision + recall, NEVER))
    return float(np.clip(at[best], NEVER, 1 - NEVER))


def operating_point(on: float, positives: Array) -> Thresholds:
    """Hysteresis below ``on``: ``off`` is where `MISSED` of the positives' scores are below.

    Its odds stay between a thirtieth and a third of those of ``on`` (`ODDS_RATIOS`).
    """
    least, most = ODDS_RATIOS
    missed = logit(np.clip(np.quantile(positives, MISSED), NEVER, 1 - NEVER)) if len(positives) else -np.inf
    return Thresholds(on, float(expit(np.clip(missed, logit(on) - np.log(most), logit(on) - np.log(least)))))


def operating_points(scores: Array, truth: Array, goal: Goal) -> list[Thresholds]:
    """Thresholds of every label, drawn towards those of all labels together where a label has few positives.

    A label's own threshold from ``n`` positives and the pooled one (every score of every label, in one heap) are
    averaged as log-odds with weights ``n`` and `PRIOR_POSITIVES`: a label without any takes the pooled one.

    Parameters
    ----------
    scores : Array, shape (clips, labels)
        Probabilities on validation data.
    truth : Array of 0 and 1, shape (clips, labels)

    Returns
    -------
    list of Thresholds
        In the labels' order.
    """
    truth = truth.astype(bool)
    pooled = logit(threshold(scores.ravel(), truth.ravel(), goal))
    points = []
    for own_scores, positive in zip(scores.T, truth.T, strict=True):
        count, log_odds = int(positive.sum()), pooled
        if 0 < count < len(positive):
            own = logit(threshold(own_scores, positive, goal))
            log_odds = (count * own + PRIOR_POSITIVES * pooled) / (count + PRIOR_POSITIVES)
        points.append(operating_point(float(expit(log_odds)), own_scores[positive]))
    return points
