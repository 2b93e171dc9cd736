"""Classifiers on frozen features, and their accuracy on held-out folds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from streamer.arrays import Array

Maker = Callable[[], Pipeline]
"""Function that returns an untrained classifier."""


def logistic_regression() -> Pipeline:
    """Return an untrained logistic regression on standardised features, with a strong L2 penalty.

    So many features need that.
    """
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))


def multilayer_perceptron() -> Pipeline:
    """Return an untrained perceptron on standardised features: a hidden layer of 256 units, 42 epochs of training."""
    # A tolerance that is never met ends training when its patience is over: after a fixed time, without a warning.
    perceptron = MLPClassifier((256,), alpha=1.0, tol=1e9, n_iter_no_change=40, random_state=0)
    return make_pipeline(StandardScaler(), perceptron)


def support_vectors() -> Pipeline:
    """Return an untrained support-vector classifier on standardised features, with a radial kernel."""
    return make_pipeline(StandardScaler(), SVC(C=10.0, gamma="scale"))


def predict_held_out(
    make: Maker, features: Array, labels: Array, fold: Array, method: str = "predict"
) -> Array:
    """Return for each example what a classifier predicts that was trained on the other folds.

    Parameters
    ----------
    make : callable
        Function that returns an untrained classifier.
    features : Array, shape (examples, features)
        Features of each example.
    labels, fold : int array, shape (examples,)
        Label and fold of each example.
    method : {"predict", "predict_log_proba"}
        Whether to return the predicted label of each example, or the log-probabilities of all classes.

    Returns
    -------
    Array, shape (examples,) or (examples, classes)
        Predicted labels, or log-probabilities.
    """
    predicted: Array = cross_val_predict(make(), features, labels, cv=PredefinedSplit(fold), method=method)
    return predicted


def over_folds(right: Array, fold: Array) -> dict[str, Any]:
    """Return the accuracy on each fold as ``folds``, their ``mean``, and their sample standard deviation as ``spread``.

    Parameters
    ----------
    right : bool array, shape (examples,)
        Whether each example was predicted rightly.
    fold : int array, shape (examples,)
        Fold of each example; at least two folds.
    """
    folds = {int(number): float(right[fold == number].mean()) for number in np.unique(fold)}
    values = list(folds.values())
    return {
        "mean": round(float(np.mean(values)), 4),
        "spread": round(float(np.std(values, ddof=1)), 4),
        "folds": {str(number): round(value, 4) for number, value in folds.items()},
    }
