"""Scores of whole clips, combined from the scores of their steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from streamer.arrays import Array
from train.evaluate.predictions import Predictions

TINY = 1e-7
"""Lower limit of probabilities before their logarithm, so that no single step decides a clip alone."""
SoFar = Callable[[Array], Array]
"""Function from the scores of single steps, (clips, steps, labels), to scores of each clip from its start up to each
step, of the same shape."""


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


def _mean_so_far(values: Array) -> Array:
    there = ~np.isnan(values)
    means: Array = np.cumsum(np.where(there, values, 0.0), axis=1) / np.maximum(np.cumsum(there, axis=1), 1)
    return means
