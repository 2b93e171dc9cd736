"""Figures of an exported ear: how well simple classifiers do on its embeddings of held-out clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from streamer.arrays import Array
from train.data.cache import SoundCache
from train.data.recordings import Split
from train.data.sets import esc50
from train.evaluate.stepped_scores import SteppedScorer
from train.tasks.ear.config import EarRunConfig

SHOTS = (1, 3, 5)
DRAWS = 20


def figures(folder: Path, config: EarRunConfig, data: Path, cache: Path, split: Split) -> dict[str, Any]:
    """Return all figures of an exported ear by name, on its run's test or validation fold of ESC-50.

    Returns
    -------
    dict
        ``probe``: accuracy of a logistic regression on the embeddings of whole clips. ``few shots``: accuracy by the
        nearest mean of 1, 3 and 5 clips of each class. Each has its description under ``what``.
    """
    held_out = config.fold_of(split)
    sounds = SoundCache(esc50.recordings(data), cache)
    embeddings = SteppedScorer.of(folder).all_scores(sounds.sounds)
    clips = np.stack([np.concatenate([y.mean(0), y.max(0)]) for y in embeddings])
    fold = np.array([recording.fold for recording in sounds.recordings])
    names = np.array([recording.category for recording in sounds.recordings])
    learnt = np.isin(fold, config.learnt_folds)
    return {
        "probe": _probe(clips, names, learnt, fold == held_out),
        "few shots": _few_shots(clips[fold == held_out], names[fold == held_out]),
    }


def _probe(clips: Array, names: Array, learnt: Array, held_out: Array) -> dict[str, Any]:
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
    probe.fit(clips[learnt], names[learnt])
    return {
        "what": "ESC-50 by logistic regression on the mean and maximum of a clip's embeddings, held-out fold",
        "clips": int(held_out.sum()),
        "accuracy": round(float(probe.score(clips[held_out], names[held_out])), 4),
    }


def _few_shots(clips: Array, names: Array) -> dict[str, Any]:
    """Classify clips by the nearest class mean (cosine) of a few clips, and average over random choices of those."""
    rng = np.random.default_rng(0)
    unit = clips / np.linalg.norm(clips, axis=1, keepdims=True)
    found: dict[str, Any] = {
        "what": "ESC-50's held-out fold: nearest mean of a few clips of each class, over random choices"
    }
    for shots in SHOTS:
        rates = [_one_draw(rng, unit, names, shots) for _ in range(DRAWS)]
        if not np.isnan(rates).any():
            found[f"{shots} a class"] = round(float(np.mean(rates)), 4)
    return found


def _one_draw(rng: np.random.Generator, unit: Array, names: Array, shots: int) -> float:
    """Return the accuracy on the clips that were not chosen as examples; NaN if there are none."""
    classes = np.unique(names)
    examples = [rng.permutation(np.flatnonzero(names == c))[:shots] for c in classes]
    queries = np.setdiff1d(np.arange(len(names)), np.concatenate(examples))
    if not len(queries):
        return float("nan")
    means = np.stack([unit[rows].mean(axis=0) for rows in examples])
    nearest = (unit[queries] @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T).argmax(axis=1)
    return float(np.mean(classes[nearest] == names[queries]))
