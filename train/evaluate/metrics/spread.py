"""Spread of a figure: over folds, and over clips that are drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from streamer.arrays import Array
from train.evaluate.predictions import Predictions, select

BATCH = 100
"""Resamples that are computed at once; it bounds the memory that they take."""


@dataclass(frozen=True)
class Spread:
    """A figure that was computed for each fold, such as an accuracy; the unit of all numbers is the figure's.

    Attributes
    ----------
    mean : float
        Mean over folds, each of which counts once.
    spread : float
        Sample standard deviation over folds; 0 for a single fold.
    folds : dict of int to float
        Value of each fold, by its number.
    """

    mean: float
    spread: float
    folds: dict[int, float]

    @classmethod
    def of(cls, folds: dict[int, float]) -> Spread:
        """Return the mean and the spread of the values of some folds, by their numbers; at least one."""
        values = list(folds.values())
        return cls(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0, folds)

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.spread:.3f}" if len(self.folds) > 1 else f"{self.mean:.3f}"


def over_folds(predictions: Predictions, figure: Callable[[Predictions], float]) -> Spread:
    """Compute a figure for each fold, and return its mean and spread.

    Parameters
    ----------
    predictions : Predictions
        Predictions for clips of one or more folds.
    figure : callable
        ``figure(part)`` returns the figure, given the predictions for the clips of a single fold.

    Returns
    -------
    Spread
    """
    folds = {
        int(fold): figure(select(predictions, predictions.folds == fold))
        for fold in np.unique(predictions.folds)
    }
    return Spread.of(folds)


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

    Returns
    -------
    low, high : float
        Ends of the interval; both are the mean where there are fewer than two values.
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
