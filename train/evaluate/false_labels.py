"""Count labels that begin in sound that has none, and raise thresholds until they are few."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit

from streamer.arrays import Array
from streamer.inference.manifest_parts import Thresholds
from train.evaluate.operating_points import NEVER, ODDS_RATIOS

MARGIN = 0.01
"""Distance, in log-odds, of a raised threshold from the score that it shuts out."""


def limit_false_labels(points: Sequence[Thresholds], highest: Array, most: float) -> tuple[Thresholds, ...]:
    """Return the thresholds, raised where needed, so that at most `most` labels begin in sound that has none of them.

    No label may begin in more excerpts than any other that was raised. So labels that rarely begin there stay as they
    are, and those that begin most often pay.

    Parameters
    ----------
    points : sequence of Thresholds
        Thresholds of each label.
    highest : array, shape (excerpts, labels)
        Highest score of each label in each excerpt of sound that has none of the labels.
    most : float
        Greatest number of false labels in all excerpts together; a label counts once in each excerpt.
    """
    on = np.array([point.on for point in points])
    begun = (highest >= on).sum(axis=0)
    allowed = _most_of_each(begun, most)
    falling = -np.sort(-highest, axis=0)
    return tuple(
        _raised(point, falling[allowed, label]) if begun[label] > allowed else point
        for label, point in enumerate(points)
    )


def count_begins(scores: Array, points: Sequence[Thresholds]) -> Array:
    """Return how often each label begins in the scores of some steps, int64, shape (labels,).

    It begins where its score reaches ``on``, and can begin again once the score was below ``off``.

    Parameters
    ----------
    scores : array, shape (steps, labels)
        Scores of consecutive steps.
    points : sequence of Thresholds
        Thresholds of each label.
    """
    on, off = (np.array([getattr(point, name) for point in points]) for name in ("on", "off"))
    going, begins = np.zeros(len(points), bool), np.zeros(len(points), np.int64)
    for step in scores:
        begins += ~going & (step >= on)
        going = np.where(going, step >= off, step >= on)
    return begins


def _most_of_each(begun: Array, most: float) -> int:
    """Return the largest number up to which each label may begin, so that all together begin `most` times at most."""
    allowed = int(begun.max(initial=0))
    while allowed and np.minimum(begun, allowed).sum() > most:
        allowed -= 1
    return allowed


def _raised(point: Thresholds, shut_out: float) -> Thresholds:
    on = min(float(logit(np.clip(shut_out, NEVER, 1 - NEVER))) + MARGIN, float(logit(1 - NEVER)))
    least, most = (math.log(ratio) for ratio in ODDS_RATIOS)
    off = np.clip(logit(np.clip(point.off, NEVER, 1 - NEVER)), on - most, on - least)
    return Thresholds(float(expit(on)), float(expit(off)))
