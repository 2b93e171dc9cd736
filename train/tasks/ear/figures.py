"""Figures of an exported ear: how well simple classifiers do on its embeddings of held-out clips."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.cache import SoundCache
from train.data.recordings import Split
from train.data.sets import esc50
from train.data.sets.all_sound import SINGLE_SOUNDS
from train.data.sets.catalogue import DATA_SETS
from train.evaluate.stepped_scores import SteppedScorer
from train.tasks.ear.config import EarRunConfig

SHOTS = (1, 3, 5)
DRAWS = 20
_log = logging.getLogger(__name__)


def figures(folder: Path, config: EarRunConfig, data: Path, cache: Path, split: Split) -> dict[str, Any]:
    """Return all figures of an exported ear by name, on its run's test or validation fold of ESC-50.

    Returns
    -------
    dict
        ``probe``: accuracy of a logistic regression on the embeddings of whole clips. ``few shots``: accuracy by the
        nearest mean of 1, 3 and 5 clips of each class. ``other collections``: accuracy of the probe on recordings of
        the same classes in collections that the ear has not learnt from, as far as they are there. Each has its
        description under ``what``.
    """
    held_out, scorer = config.fold_of(split), SteppedScorer.of(folder)
    clips = _embed(scorer, SoundCache(esc50.recordings(data), cache))
    tested = clips.fold == held_out
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
    learnt = np.isin(clips.fold, config.learnt_folds)
    probe.fit(clips.embedding[learnt], clips.category[learnt])
    return {
        "probe": {
            "what": "ESC-50 by logistic regression on the mean and maximum of a clip's embeddings, held-out fold",
            **_accuracy(probe, clips.embedding[tested], clips.category[tested]),
        },
        "few shots": _few_shots(clips.embedding[tested], clips.category[tested]),
        "other collections": {
            "what": "recordings of ESC-50's classes in collections that were not learnt from, by the same probe",
            **{
                name: _accuracy(probe, found.embedding, found.category)
                for name, found in _others(scorer, config, set(clips.category), data, cache)
            },
        },
    }


class _Embedded(NamedTuple):
    """Embeddings of recordings, the mean and the maximum over each, with its category and fold."""

    embedding: Array
    category: Array
    fold: Array


def _embed(scorer: SteppedScorer, sounds: SoundCache) -> _Embedded:
    embeddings = [np.concatenate([y.mean(0), y.max(0)]) for y in scorer.all_scores(sounds.sounds)]
    category, fold = ([getattr(r, part) for r in sounds.recordings] for part in ("category", "fold"))
    return _Embedded(np.stack(embeddings), np.array(category), np.array(fold))


def _others(
    scorer: SteppedScorer, config: EarRunConfig, classes: Collection[str], data: Path, cache: Path
) -> Iterator[tuple[str, _Embedded]]:
    """Yield the recordings of some classes in each collection that is there and was not learnt from."""
    for name in SINGLE_SOUNDS:
        if name in config.learnt_data:
            continue
        try:
            given = [recording for recording in DATA_SETS[name].read(data) if recording.category in classes]
        except ConfigError as error:
            _log.warning("%s is not measured: %s", name, error)
            continue
        if given:
            yield name, _embed(scorer, SoundCache(given, cache))


def _accuracy(probe: Pipeline, embeddings: Array, names: Array) -> dict[str, Any]:
    return {"clips": len(names), "accuracy": round(float(probe.score(embeddings, names)), 4)}


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
