"""Figures of merit of scores against truth."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from streamer.stage import Array


def auc(positive: Array, negative: Array) -> float:
    """Chance that a positive's score is above a negative's, ties counting half (Mann-Whitney U).

    Parameters
    ----------
    positive, negative : Array, shape (any,)
        Scores; at least one each.
    """
    ranks = rankdata(np.concatenate([positive, negative]))
    wins = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(wins / (len(positive) * len(negative)))


def threshold_at_fpr(negative: Array, rate: float) -> float:
    """The score that at most a share `rate` of the negatives exceeds."""
    return float(np.quantile(negative, 1.0 - rate, method="higher"))


def tpr_at_fpr(positive: Array, negative: Array, rate: float) -> float:
    """Share of positives above `threshold_at_fpr`."""
    return float(np.mean(positive > threshold_at_fpr(negative, rate)))


def f1(positive: Array, negative: Array, threshold: float) -> float:
    """Harmonic mean of precision and recall of ``score >= threshold``."""
    hits, alarms = np.sum(positive >= threshold), np.sum(negative >= threshold)
    return float(2 * hits / (len(positive) + hits + alarms))
