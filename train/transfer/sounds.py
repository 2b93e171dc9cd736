"""Everyday sounds on ESC-50, by classifiers on YAMNet's frozen embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from train.data.cache import SoundCache
from train.data.recordings import check_folds
from train.data.sets import esc50
from train.mixing.patch_embeddings import TRAININGS, check_all_embedded, embed_recordings, pool_patches
from train.transfer.classifiers import (
    logistic_regression,
    multilayer_perceptron,
    over_folds,
    predict_held_out,
)


def figures(data: Path, cache: Path) -> dict[str, Any]:
    """Return the accuracy on ESC-50, each of its own folds held out in turn, for both trainings of YAMNet.

    The features of a clip are the mean and the maximum of YAMNet's embedding over its patches, and the same of the
    square root of the embedding, which is nearer to a normal distribution.

    Returns
    -------
    dict
        ``clips``, their number; for ``hub`` and ``lite``, the result of `over_folds` for each kind of classifier.
    """
    sounds = SoundCache(esc50.recordings(data), cache)
    classes = esc50.classes(data)
    check_folds(sounds.recordings, classes)
    labels = np.array([classes.index(clip.category) for clip in sounds.recordings])
    fold = np.array([clip.fold for clip in sounds.recordings])
    found: dict[str, Any] = {"clips": len(sounds)}
    for name, weights in TRAININGS.items():
        embedded = embed_recordings(sounds, data / weights, cache)
        check_all_embedded(embedded, sounds)
        plain = pool_patches(embedded.embedding, embedded.recording)
        root = pool_patches(np.sqrt(embedded.embedding), embedded.recording)
        found[name] = {
            "logistic regression": over_folds(
                predict_held_out(logistic_regression, plain, labels, fold) == labels, fold
            ),
            "logistic regression, root": over_folds(
                predict_held_out(logistic_regression, root, labels, fold) == labels, fold
            ),
            "perceptron, root": over_folds(
                predict_held_out(multilayer_perceptron, root, labels, fold) == labels, fold
            ),
        }
    return found
