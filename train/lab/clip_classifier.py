"""Logistic regression on embeddings of whole clips as a system of the laboratory: everyday sounds of ESC-50."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.pipeline import Pipeline

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.recordings import FOLDS, check_folds
from train.data.sets import esc50
from train.lab.classifier import TIMED, count_parameters
from train.lab.measured import Measured, peak_memory_mb
from train.lab.outcomes import Outcomes
from train.loop.run import CACHE, data_folder
from train.tasks.reference.embedding_sequences import EMBEDDERS
from train.transfer.classifiers import logistic_regression

CLIP_S = 5.0
"""Length of a clip, in seconds."""


@dataclass(frozen=True)
class ClipClassifier:
    """Logistic regression on the embeddings of clips; see `train.lab.measured.System`.

    The features of a clip are the mean and the maximum of its embeddings, one every 0.48 s. Clips without any
    embedding, which are silent or cannot be read, are left out.

    Attributes
    ----------
    embeddings : str
        Name in `train.tasks.reference.embedding_sequences.EMBEDDERS`.
    """

    embeddings: str
    causal: ClassVar[bool] = False

    def measure(self, name: str, folds: Sequence[int]) -> tuple[Measured, Outcomes]:
        """Train with each of some folds held out, and measure; nothing is kept on disk but the embeddings.

        Raises
        ------
        ConfigError
            If there is no such fold, the data set is not there, or a class or fold has too few clips.
        """
        if unknown := sorted(set(folds) - set(FOLDS)):
            raise ConfigError(f"{name} has no fold {unknown[0]}; expected some of {list(FOLDS)}")
        data = data_folder()
        found = EMBEDDERS[self.embeddings](esc50.recordings(data), data, CACHE)
        pairs = [pair for pair in zip(found.recordings, found.embeddings, strict=True) if len(pair[1])]
        check_folds([clip for clip, _ in pairs], esc50.classes(data))
        features = np.stack([np.concatenate([rows.mean(0), rows.max(0)]) for _, rows in pairs])
        names = np.array([f"{clip.source}/{clip.name}" for clip, _ in pairs])
        labels = np.array([clip.category for clip, _ in pairs])
        fold_of = np.array([clip.fold for clip, _ in pairs])
        measured = np.isin(fold_of, folds or FOLDS)
        accuracy, seconds, right = {}, [], np.zeros(len(pairs), bool)
        for fold in folds or FOLDS:
            begun, held_out = time.monotonic(), fold_of == fold
            trained = logistic_regression().fit(features[~held_out], labels[~held_out])
            seconds.append(time.monotonic() - begun)
            right[held_out] = trained.predict(features[held_out]) == labels[held_out]
            accuracy[str(fold)] = round(float(np.mean(right[held_out])), 4)
        return Measured(
            {"accuracy": accuracy},
            count_parameters(trained),
            None,
            _ms_per_s(trained, features),
            peak_memory_mb(),
            round(statistics.fmean(seconds) / 60, 2),
        ), Outcomes.count(names[measured].tolist(), fold_of[measured], right[measured])


def _ms_per_s(trained: Pipeline, features: Array) -> float:
    """Return the median time of a decision about a clip, in milliseconds for a second of it."""
    times = []
    for row in features[:TIMED]:
        begun = time.process_time()
        trained.predict(row[None])
        times.append(time.process_time() - begun)
    return round(1e3 * statistics.median(times) / CLIP_S, 3)
