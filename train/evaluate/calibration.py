"""Fit probabilities to how often they are right on validation data, and measure whether they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from streamer.arrays import Array
from streamer.errors import ConfigError

TEMPERATURES = (0.05, 20.0)
"""Lowest and highest temperature of the search."""


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
