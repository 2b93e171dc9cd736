"""Figures of an exported ear: what can be told from its embeddings of held-out clips."""

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
from train.tasks.ear.task import EarRunConfig

SHOTS = (1, 3, 5)
DRAWS = 20


def figures(folder: Path, config: EarRunConfig, data: Path, cache: Path, split: Split) -> dict[str, Any]:
    """Every figure, of the run's test fold or, for ``validation``, its validation fold."""
    held_out = config.fold if split == "test" else config.validation_fold
    sounds = SoundCache(esc50.recordings(data), cache)
    said = SteppedScorer.of(folder).all_scores(sounds.sounds)
    clips = np.stack([np.concatenate([y.mean(0), y.max(0)]) for y in said])
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
    """One of 50 classes by the nearest mean (cosine) of a few clips of each, over random choices of those."""
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
    """Accuracy over the clips that are not shown; NaN where all are."""
    classes = np.unique(names)
    shown = [rng.permutation(np.flatnonzero(names == c))[:shots] for c in classes]
    asked = np.setdiff1d(np.arange(len(names)), np.concatenate(shown))
    if not len(asked):
        return float("nan")
    means = np.stack([unit[rows].mean(axis=0) for rows in shown])
    said = (unit[asked] @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T).argmax(axis=1)
    return float(np.mean(classes[said] == names[asked]))
