"""Logistic regression on embeddings of whole clips as a system of the laboratory: everyday sounds, and genres."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from sklearn.pipeline import Pipeline

from streamer.arrays import Array
from train.data.recordings import FOLDS, Recording
from train.data.recordings import check_folds as check_recordings
from train.data.sets import esc50
from train.data.sets.gtzan import gtzan_mels, gtzan_snippets
from train.lab.measured import Measured, check_folds, peak_memory_mb
from train.lab.outcomes import Outcomes
from train.lab.systems.classifier import TIMED, count_parameters
from train.loop.run import CACHE, data_folder
from train.tasks.reference.embedders import EMBEDDERS
from train.transfer.classifiers import logistic_regression


@dataclass(frozen=True)
class ClipSet:
    """Clips that are named.

    Attributes
    ----------
    recordings : callable
        Function that returns the clips, given the folder of the data sets.
    fold_of : callable
        Function that returns the fold of a clip.
    folds : sequence of int
        All folds.
    clip_s : float
        Length of a clip in seconds, in the middle.
    """

    recordings: Callable[[Path], list[Recording]]
    fold_of: Callable[[Recording], int]
    folds: Sequence[int]
    clip_s: float


def _cut_outs(data: Path) -> list[Recording]:
    return gtzan_snippets.recordings(data, gtzan_mels.load(data))


ESC50 = ClipSet(esc50.recordings, lambda clip: clip.fold, FOLDS, 5.0)
CUT_OUTS = ClipSet(_cut_outs, gtzan_snippets.ten_fold, gtzan_mels.TEN_FOLDS, 2.5)
"""GTZAN's cut-outs, in the folds of the rows of genre."""


@dataclass(frozen=True)
class ClipClassifier:
    """Logistic regression on the embeddings of clips; see `train.lab.measured.System`.

    The features of a clip are the mean and the maximum of its embeddings, one every 0.48 s unless it was published
    with another step. Clips without any embedding, which are silent or cannot be read, are left out.

    Attributes
    ----------
    embeddings : str
        Name in `train.tasks.reference.embedding_sequences.EMBEDDERS`.
    clips : ClipSet
        Clips that it names.
    """

    embeddings: str
    clips: ClipSet = ESC50
    causal: ClassVar[bool] = False

    def measure(self, name: str, folds: Sequence[int]) -> tuple[Measured, Outcomes]:
        """Train with each of some folds held out, and measure; nothing is kept on disk but the embeddings.

        Raises
        ------
        ConfigError
            If there is no such fold, the data set is not there, or a class or fold has too few clips.
        """
        check_folds(name, folds, self.clips.folds)
        data = data_folder()
        recordings = self.clips.recordings(data)
        found = EMBEDDERS[self.embeddings](recordings, data, CACHE)
        pairs = [pair for pair in zip(found.recordings, found.embeddings, strict=True) if len(pair[1])]
        check_recordings([clip for clip, _ in pairs], {clip.category for clip in recordings})
        features = np.stack([np.concatenate([rows.mean(0), rows.max(0)]) for _, rows in pairs])
        names = np.array([f"{clip.source}/{clip.name}" for clip, _ in pairs])
        labels = np.array([clip.category for clip, _ in pairs])
        fold_of = np.array([self.clips.fold_of(clip) for clip, _ in pairs])
        measured = np.isin(fold_of, folds or self.clips.folds)
        accuracy, seconds, right = {}, [], np.zeros(len(pairs), bool)
        for fold in folds or self.clips.folds:
            begun, held_out = time.monotonic(), fold_of == fold
            trained = logistic_regression().fit(features[~held_out], labels[~held_out])
            seconds.append(time.monotonic() - begun)
            right[held_out] = trained.predict(features[held_out]) == labels[held_out]
            accuracy[str(fold)] = round(float(np.mean(right[held_out])), 4)
        return Measured(
            {"accuracy": accuracy},
            count_parameters(trained),
            None,
            _ms_per_s(trained, features, self.clips.clip_s),
            peak_memory_mb(),
            round(statistics.fmean(seconds) / 60, 2),
        ), Outcomes.count(names[measured].tolist(), fold_of[measured], right[measured])


def _ms_per_s(trained: Pipeline, features: Array, clip_s: float) -> float:
    """Return the median time of a decision about a clip, in milliseconds for a second of it."""
    times = []
    for row in features[:TIMED]:
        begun = time.process_time()
        trained.predict(row[None])
        times.append(time.process_time() - begun)
    return round(1e3 * statistics.median(times) / clip_s, 3)
