"""Figures of a detector, which tells the positives, where its label is present, from the negatives by their scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from streamer.arrays import Array
from train.evaluate.predictions import Predictions


@dataclass(frozen=True)
class DetectorScores:
    """Scores of a detector for positives and for negatives. Its methods return figures; all shares are from 0 to 1.

    Attributes
    ----------
    positive, negative : Array, shape (any,)
        Scores where the label is present, and where it is absent. Methods that compare the two need one of each.
    """

    positive: Array
    negative: Array

    def auc(self) -> float:
        """Return the area under the ROC curve: the chance that a positive scores above a negative; ties count half."""
        return float(roc_auc_score(self._truth, self._scores))

    def average_precision(self) -> float:
        """Return the mean of the precisions at each positive's score: the area under the precision-recall steps."""
        return float(average_precision_score(self._truth, self._scores))

    def tpr_at_fpr(self, rate: float) -> float:
        """Return the share of the positives above the score that at most the share `rate` of the negatives exceeds."""
        return float(np.mean(self.positive > threshold_at_fpr(self.negative, rate)))

    def f1(self, threshold: float) -> float:
        """Return F1, the harmonic mean of precision and recall, of the decisions ``score >= threshold``."""
        return float(f1_score(self._truth, self._scores >= threshold, zero_division=0.0))

    def roc(self) -> tuple[Array, Array]:
        """Return the ROC curve: false-positive and true-positive rates over all thresholds, shape (points,) each."""
        false, true, _ = roc_curve(self._truth, self._scores)
        return false, true

    def precision_recall(self) -> tuple[Array, Array]:
        """Return precision and recall over all thresholds, shape (points,) each."""
        precision, recall, _ = precision_recall_curve(self._truth, self._scores)
        return precision, recall

    @property
    def _truth(self) -> Array:
        return np.concatenate([np.ones(len(self.positive), bool), np.zeros(len(self.negative), bool)])

    @property
    def _scores(self) -> Array:
        return np.concatenate([self.positive, self.negative])


def decision_figures(truth: Array, said: Array) -> dict[str, float]:
    """Return ``F1``, ``precision`` and ``recall`` of decisions; 0 where nothing is, or is said to be, positive.

    Parameters
    ----------
    truth, said : bool array, shape (n,)
        Whether each of `n` clips or steps is positive, and was said to be.
    """
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, said, average="binary", zero_division=0.0
    )
    return {"F1": float(f1), "precision": float(precision), "recall": float(recall)}


def threshold_at_fpr(negative: Array, rate: float) -> float:
    """Return the score that at most a share `rate` of the negatives exceeds: the threshold at a false-positive rate.

    Parameters
    ----------
    negative : Array, shape (any,)
        Scores of negatives; at least one.
    rate : float
        Share of the negatives, 0 to 1.
    """
    return float(np.quantile(negative, 1.0 - rate, method="higher"))


def step_scores(predictions: Predictions) -> DetectorScores:
    """Return the scores of a detector at single steps; steps whose truth is not judged are left out.

    Raises
    ------
    ValueError
        If the predictions are not those of a detector, and so have no truth of steps.
    """
    if predictions.step_truth is None:
        raise ValueError(f"predictions of {predictions.model} have no step_truth; expected a detector's")
    scores = predictions.scores[:, :, 0]
    there = ~np.isnan(scores)
    return DetectorScores(
        scores[there & (predictions.step_truth == 1)], scores[there & (predictions.step_truth == 0)]
    )
