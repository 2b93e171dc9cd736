"""A paired test of two rows of the laboratory on the recordings that both have held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from streamer.arrays import Array
from train.evaluate.metrics.spread import BATCH
from train.lab.outcomes import Outcomes

DRAWS = 2_000
LEVEL = 0.95


@dataclass(frozen=True)
class PairedDifference:
    """Difference of the accuracies of two rows on the recordings that both have held out.

    Attributes
    ----------
    accuracies : tuple of float
        Share of the examples, 0 to 1, about which each row was right.
    low, high : float
        Percentile interval at `LEVEL` of the first accuracy less the second, over recordings drawn anew.
    p : float
        Probability of a difference at least as large, either way, if the rows were exchangeable in every recording.
    recordings : int
        Number of the recordings.
    folds : tuple of int
        Folds in which they were held out.
    """

    accuracies: tuple[float, float]
    low: float
    high: float
    p: float
    recordings: int
    folds: tuple[int, ...]

    @property
    def mean(self) -> float:
        """First accuracy less the second."""
        return self.accuracies[0] - self.accuracies[1]


def compare(first: Outcomes, second: Outcomes, seed: int = 0) -> PairedDifference | None:
    """Return the difference of two rows; None if they share fewer than two recordings.

    Whole recordings are drawn anew, or exchanged, since the examples of one are not independent. Exchanging the rows in
    a random half of the recordings is a paired permutation test; with one example a recording, it asks what McNemar's
    exact test (1947) asks.

    Parameters
    ----------
    first, second : Outcomes
        What each row was right about.
    seed : int
        Seed of the draws.
    """
    names = sorted(set(first.recordings) & set(second.recordings))
    if len(names) < 2:
        return None
    places = [_places(outcomes, names) for outcomes in (first, second)]
    right = np.concatenate([first.right[places[0]], second.right[places[1]]])
    examples = np.concatenate([first.examples[places[0]], second.examples[places[1]]])

    def accuracy(rows: Array, axis: int = -1) -> Array:
        found: Array = right[rows].sum(axis=axis) / examples[rows].sum(axis=axis)
        return found

    def difference(rows: Array, others: Array, axis: int = -1) -> Array:
        return accuracy(rows, axis) - accuracy(others, axis)

    # SciPy resamples the places of a recording in both rows, since a recording has two numbers.
    pairs = np.arange(len(names)), np.arange(len(names)) + len(names)
    drawn = stats.bootstrap(
        pairs,
        difference,
        n_resamples=DRAWS,
        batch=BATCH,
        paired=True,
        confidence_level=LEVEL,
        method="percentile",
        rng=seed,
    )
    exchanged = stats.permutation_test(
        pairs, difference, permutation_type="samples", n_resamples=DRAWS, batch=BATCH, rng=seed
    )
    return PairedDifference(
        (float(accuracy(pairs[0])), float(accuracy(pairs[1]))),
        float(drawn.confidence_interval.low),
        float(drawn.confidence_interval.high),
        float(exchanged.pvalue),
        len(names),
        tuple(sorted({int(fold) for fold in first.folds[places[0]]})),
    )


def _places(outcomes: Outcomes, names: list[str]) -> Array:
    """Return the index of each of some recordings in what a row was right about, shape (names,)."""
    by_name = {name: place for place, name in enumerate(outcomes.recordings)}
    return np.array([by_name[name] for name in names])
