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
