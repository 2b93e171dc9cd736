"""Choose the thresholds of decisions on validation data: for precision, recall, the best F1, or few false positives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

import numpy as np
from scipy.special import expit, logit
from sklearn.metrics import precision_recall_curve

from streamer.arrays import Array
from streamer.errors import ConfigError
from streamer.inference.manifest_parts import Thresholds
from train.evaluate.metrics.detection import threshold_at_fpr

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


@dataclass(frozen=True)
class Goal:
    """Aim for which a threshold is chosen.

    Attributes
    ----------
    kind : {"precision", "recall", "f1", "false_positives"}
        Aim: ``precision`` reaches the precision `value` with the highest recall, ``recall`` reaches the recall `value`
        with the highest precision, ``f1`` has the highest F1, and ``false_positives`` has the highest recall at which
        at most the share `value` of the negatives is taken for positives.
    value : float
        Precision or recall to reach, or largest share of false positives, 0 to 1; ignored for F1.
    """

    kind: Literal["precision", "recall", "f1", "false_positives"]
    value: float = 0.0

    def __post_init__(self) -> None:
        known = ("precision", "recall", "f1", "false_positives")
        if self.kind not in known or not 0 <= self.value <= 1:
            raise ConfigError(
                f"goal is {self.kind!r} {self.value:g}; expected one of {', '.join(known)}, and a value from 0 to 1"
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
    if goal.kind == "false_positives":
        # Decisions are score >= threshold, so the threshold lies just above the score that so few exceed.
        allowed = np.nextafter(threshold_at_fpr(scores[~positive], goal.value), 2.0)
        return float(np.clip(allowed, NEVER, 1 - NEVER))
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
