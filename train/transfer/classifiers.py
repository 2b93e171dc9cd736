"""The classifiers on frozen features, and what they come to on folds that they did not learn from."""

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
"""Gives a classifier that has learnt nothing yet."""


def logistic_regression() -> Pipeline:
    """Standardised, with the strong L2 penalty that features more numerous than examples call for."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))


def multilayer_perceptron() -> Pipeline:
    """Standardised, one hidden layer of 256, 42 epochs."""
    # A tolerance that is never met ends it once its patience is over: after a fixed time, without a warning.
    perceptron = MLPClassifier((256,), alpha=1.0, tol=1e9, n_iter_no_change=40, random_state=0)
    return make_pipeline(StandardScaler(), perceptron)


def support_vectors() -> Pipeline:
    """Standardised, with a radial kernel as wide as the features' number asks for."""
    return make_pipeline(StandardScaler(), SVC(C=10.0, gamma="scale"))


def held_out(make: Maker, features: Array, labels: Array, fold: Array, method: str = "predict") -> Array:
    """What is said of each example by a classifier that learnt from the other folds.

    Parameters
    ----------
    make : callable
    features : Array, shape (examples, features)
    labels, fold : int array, shape (examples,)
    method : {"predict", "predict_log_proba"}

    Returns
    -------
    Array, shape (examples,) or (examples, classes)
    """
    said: Array = cross_val_predict(make(), features, labels, cv=PredefinedSplit(fold), method=method)
    return said


def over_folds(right: Array, fold: Array) -> dict[str, Any]:
    """Accuracy on each fold, their mean, and their sample standard deviation.

    Parameters
    ----------
    right : bool array, shape (examples,)
    fold : int array, shape (examples,)
        At least two folds.
    """
    folds = {int(number): float(right[fold == number].mean()) for number in np.unique(fold)}
    values = list(folds.values())
    return {
        "mean": round(float(np.mean(values)), 4),
        "spread": round(float(np.std(values, ddof=1)), 4),
        "folds": {str(number): round(value, 4) for number, value in folds.items()},
    }
