"""A classical classifier of segments as a system of the laboratory: music or not, from features of 1 s."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from streamer.errors import ConfigError
from train.data.recordings import FOLDS
from train.lab.measured import Measured, peak_memory_mb
from train.lab.segments import Maker, Segments
from train.loop.run import CACHE, data_folder

SCORES = {"accuracy": accuracy_score, "F1": f1_score, "precision": precision_score, "recall": recall_score}
TIMED = 200
"""Number of segments that are classified one by one, to measure the time of a decision."""


def logistic_regression() -> Pipeline:
    """Return an untrained logistic regression on standardised features."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1_000))


def linear_svm() -> Pipeline:
    """Return an untrained linear support-vector machine on standardised features."""
    return make_pipeline(StandardScaler(), LinearSVC(C=0.01, random_state=0))


def random_forest() -> Pipeline:
    """Return an untrained forest of 200 trees."""
    return make_pipeline(RandomForestClassifier(200, min_samples_leaf=2, random_state=0, n_jobs=1))


@dataclass(frozen=True)
class Classifier:
    """A classifier on frozen features; see `train.lab.measured.System`.

    Attributes
    ----------
    make : callable
        Function that returns an untrained classifier.
    features : callable
        Function that returns the segments with their features.
    """

    make: Callable[[], Pipeline]
    features: Maker

    def measure(self, name: str, folds: Sequence[int]) -> Measured:
        """Train with each of some folds held out, and measure; nothing is kept on disk but the features.

        Raises
        ------
        ConfigError
            If there is no such fold.
        """
        if unknown := sorted(set(folds) - set(FOLDS)):
            raise ConfigError(f"{name} has no fold {unknown[0]}; expected some of {list(FOLDS)}")
        found = self.features(data_folder(), CACHE)
        figures: dict[str, dict[str, float]] = {score: {} for score in SCORES}
        seconds = []
        for fold in folds or FOLDS:
            begun, held_out = time.monotonic(), found.fold == fold
            trained = self.make().fit(found.features[~held_out], found.is_music[~held_out])
            seconds.append(time.monotonic() - begun)
            said = trained.predict(found.features[held_out])
            for score, of in SCORES.items():
                figures[score][str(fold)] = round(float(of(found.is_music[held_out], said)), 4)
        return Measured(
            figures,
            count_parameters(trained),
            None,
            _decision_ms(trained, found),
            peak_memory_mb(),
            round(statistics.fmean(seconds) / 60, 2),
        )


def count_parameters(trained: Pipeline) -> int:
    """Return how many numbers a trained classifier holds: weights, or a feature and a threshold for each branch."""
    last = trained[-1]
    if hasattr(last, "estimators_"):
        return sum(2 * tree.tree_.node_count for tree in last.estimators_)
    return int(np.size(last.coef_) + np.size(last.intercept_))


def _decision_ms(trained: Pipeline, segments: Segments) -> float:
    """Return the median time of a decision about one segment of 1 s, in milliseconds."""
    times = []
    for row in segments.features[:TIMED]:
        begun = time.process_time()
        trained.predict(row[None])
        times.append(time.process_time() - begun)
    return round(1e3 * statistics.median(times), 3)
