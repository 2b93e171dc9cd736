"""Music detection by YAMNet on single patches: its own score, and a classifier on its frozen embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array
from streamer.yamnet.weights import WINDOW_SAMPLES
from train.data.cache import SoundCache
from train.data.sets.all_sound import unambiguous_recordings
from train.evaluate.metrics.detection import DetectorScores, threshold_at_fpr
from train.mixing.patch_embeddings import TRAININGS, PatchEmbeddings, embed_recordings
from train.tasks.gate.config import GateRunConfig
from train.tasks.gate.patches import PATCH_SETS
from train.transfer.classifiers import logistic_regression

FALSE = 0.01


@dataclass(frozen=True)
class _Patches:
    """YAMNet's embeddings of the patches of one split, and which of them are music."""

    embedded: PatchEmbeddings
    is_music: Array


def figures(data: Path, cache: Path) -> dict[str, Any]:
    """Return figures of music detection by YAMNet, for each of its two trainings, on patches of 0.975 s.

    The patches are those that the gate is measured on: the GTZAN sets against TSP speech and ESC-50.

    Returns
    -------
    dict
        For ``hub`` and ``lite``: ``patches``, their number; ``music score``, figures of YAMNet's own score; and
        ``logistic regression``, figures of a classifier on the embedding. The figures are ``auc``, ``tpr_at_1pc_fpr``,
        ``f1``, ``tpr`` and ``fpr``.
    """
    return {name: _measure_training(data, weights, cache) for name, weights in TRAININGS.items()}


def _measure_training(data: Path, weights: str, cache: Path) -> dict[str, Any]:
    splits = GateRunConfig().learnt_folds, [GateRunConfig().validation_fold], [GateRunConfig().fold]
    train, validation, test = (_patches(data, data / weights, cache, folds) for folds in splits)
    regression = logistic_regression().fit(train.embedded.embedding, train.is_music)
    return {
        "patches": len(test.is_music),
        "music score": _figures(validation, validation.embedded.music, test, test.embedded.music),
        "logistic regression": _figures(
            validation,
            regression.decision_function(validation.embedded.embedding),
            test,
            regression.decision_function(test.embedded.embedding),
        ),
    }


def _patches(data: Path, weights: Path, cache: Path, folds: Sequence[int]) -> _Patches:
    wanted = [
        one
        for one in unambiguous_recordings(data, cache, folds)
        if one.source in PATCH_SETS.get(one.kind, ())
    ]
    sounds = SoundCache(wanted, cache)
    found = embed_recordings(sounds, weights, cache, WINDOW_SAMPLES)
    return _Patches(found, np.array([sounds.recordings[n].kind == "music" for n in found.recording]))


def _figures(validation: _Patches, chosen_on: Array, test: _Patches, scores: Array) -> dict[str, float]:
    """Return figures on the test; F1 is at the threshold that 1 % of the validation's other patches exceed."""
    threshold = threshold_at_fpr(chosen_on[~validation.is_music], FALSE)
    patches = DetectorScores(scores[test.is_music], scores[~test.is_music])
    found = {
        "auc": patches.auc(),
        "tpr_at_1pc_fpr": patches.tpr_at_fpr(FALSE),
        "f1": patches.f1(threshold),
        "tpr": float(np.mean(patches.positive >= threshold)),
        "fpr": float(np.mean(patches.negative >= threshold)),
    }
    return {name: round(value, 4) for name, value in found.items()}
