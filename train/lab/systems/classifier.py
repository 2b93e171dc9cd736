"""A classical classifier of segments as a system of the laboratory: music or not, from features of 1 s."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from scipy.special import expit
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.recordings import FOLDS
from train.evaluate.calibration import compute_reliability
from train.evaluate.metrics.detection import decision_figures
from train.lab.measured import Measured, check_folds, peak_memory_mb
from train.lab.outcomes import Outcomes
from train.lab.systems.segments import Maker, Segments
from train.loop.run import CACHE, data_folder

DECISIONS = ("accuracy", "F1", "precision", "recall")
"""Figures of the decisions of a classifier that learnt from everything but the held-out fold."""
SHARES: Mapping[str, float] = MappingProxyType({"F1, a tenth learnt": 0.1, "F1, a third learnt": 1 / 3})
"""Shares of the recordings to learn from, for the learning curve, by the name of the figure."""
SURE = 0.95
"""Precision, and recall, at which the operating points lie."""
PROBABILITIES = ("calibration error", f"recall at precision {SURE:g}", f"precision at recall {SURE:g}")
"""Figures of the probabilities."""
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


def gradient_boosting() -> Pipeline:
    """Return 300 untrained trees of XGBoost (Chen and Guestrin 2016), each of which mends the ones before.

    Raises
    ------
    ConfigError
        If XGBoost is not installed.
    """
    try:
        from xgboost import XGBClassifier
    except ImportError as error:
        raise ConfigError(
            f"XGBoost cannot be imported ({error}); expected the extra lab: pip install 'streamer[lab]'"
        ) from error
    return make_pipeline(
        XGBClassifier(n_estimators=300, learning_rate=0.1, max_depth=6, random_state=0, n_jobs=1)
    )


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
    causal: ClassVar[bool] = False

    def measure(self, name: str, folds: Sequence[int]) -> tuple[Measured, Outcomes]:
        """Train with each of some folds held out, and measure; nothing is kept on disk but the features.

        Raises
        ------
        ConfigError
            If there is no such fold.
        """
        check_folds(name, folds, FOLDS)
        found = self.features(data_folder(), CACHE)
        figures: dict[str, dict[str, float]] = {}
        seconds, right = [], np.zeros(len(found.is_music), bool)
        measured = np.isin(found.fold, folds or FOLDS)
        for fold in folds or FOLDS:
            begun, held_out = time.monotonic(), found.fold == fold
            trained = self.make().fit(found.features[~held_out], found.is_music[~held_out])
            seconds.append(time.monotonic() - begun)
            probability = music_probability(trained, found.features[held_out])
            right[held_out] = (probability > 0.5) == found.is_music[held_out]
            of_fold = {
                **figures_of(found.is_music[held_out], probability),
                **self._learning_curve(found, fold),
            }
            for figure, value in of_fold.items():
                figures.setdefault(figure, {})[str(fold)] = round(value, 4)
        names = [found.names[number] for number in found.recording[measured]]
        return Measured(
            figures,
            count_parameters(trained),
            None,
            _decision_ms(trained, found),
            peak_memory_mb(),
            round(statistics.fmean(seconds) / 60, 2),
        ), Outcomes.count(names, found.fold[measured], right[measured])

    def _learning_curve(self, found: Segments, fold: int) -> dict[str, float]:
        """Return F1 on a held-out fold by the share of the other recordings that was learnt from (`SHARES`)."""
        held_out = found.fold == fold
        order = np.random.default_rng(fold).permutation(np.unique(found.recording[~held_out]))
        curve = {}
        for figure, share in SHARES.items():
            learnt = np.isin(found.recording, order[: round(share * len(order))])
            trained = self.make().fit(found.features[learnt], found.is_music[learnt])
            said = trained.predict(found.features[held_out])
            curve[figure] = decision_figures(found.is_music[held_out], said)["F1"]
        return curve


def music_probability(trained: Pipeline, features: Array) -> Array:
    """Return the probability of music of each segment, float array, shape (segments,).

    A support-vector machine has none of its own, so the logistic function of its distance from the border is taken.
    """
    if hasattr(trained[-1], "predict_proba"):
        found: Array = trained.predict_proba(features)[:, 1]
        return found
    return np.asarray(expit(trained.decision_function(features)))


def figures_of(is_music: Array, probability: Array) -> dict[str, float]:
    """Return the figures of probabilities of music: those in `DECISIONS`, taken from 0.5 on, and in `PROBABILITIES`.

    Parameters
    ----------
    is_music : bool array, shape (segments,)
        Whether each segment is music.
    probability : float array, shape (segments,)
        Probability of music of each segment.
    """
    said = probability > 0.5
    confidence = np.where(said, probability, 1 - probability)
    by_threshold = precision_recall_curve(is_music, probability)
    precisions, recalls = by_threshold[0], by_threshold[1]
    return {
        "accuracy": float(np.mean(said == is_music)),
        **decision_figures(is_music, said),
        PROBABILITIES[0]: compute_reliability(confidence, said == is_music).expected_error,
        PROBABILITIES[1]: float(recalls[precisions >= SURE].max(initial=0.0)),
        PROBABILITIES[2]: float(precisions[recalls >= SURE].max(initial=0.0)),
    }


def count_parameters(trained: Pipeline) -> int:
    """Return how many numbers a trained classifier holds: weights, or a feature and a threshold for each branch."""
    last = trained[-1]
    if hasattr(last, "get_booster"):
        # The text of a tree has a line for each node.
        return 2 * sum(len(tree.splitlines()) for tree in last.get_booster().get_dump())
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
