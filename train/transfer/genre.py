"""Genre on GTZAN, by classifiers on YAMNet's frozen embeddings of tracks and on statistics of the mel file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from streamer.arrays import Array
from streamer.yamnet.weights import WINDOW_SAMPLES
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.duplicates import find_duplicates, group_duplicates
from train.data.features import FeatureCache
from train.data.recordings import FOLDS, check_folds
from train.data.sets.gtzan import gtzan, gtzan_mels
from train.data.sets.gtzan.gtzan_mels import MelTracks
from train.mixing.distillation.teacher_answers import FRONT_END
from train.mixing.patch_embeddings import (
    TRAININGS,
    PatchEmbeddings,
    check_all_embedded,
    embed_recordings,
    pool_patches,
)
from train.transfer.classifiers import (
    Maker,
    logistic_regression,
    multilayer_perceptron,
    over_folds,
    predict_held_out,
    support_vectors,
)

PIECE_SAMPLES = 3 * RATE_HZ
DEALS = 10
"""Number of random splits into folds; with so few tracks, the split changes the accuracy by a few points."""


def figures(data: Path, cache: Path) -> dict[str, Any]:
    """Return the accuracy of classifiers of genre on tracks of GTZAN that were held out together with their duplicates.

    Parameters
    ----------
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Returns
    -------
    dict
        ``tracks``: figures of classifiers that take YAMNet's embeddings of whole tracks. ``mels``: those of a
        classifier that takes `mel_statistics` of the first seconds of more tracks, which are at hand as mel
        spectrograms only.
    """
    return {"tracks": _tracks(data, cache), "mels": _mels(gtzan_mels.load(data))}


def mel_statistics(frames: Array) -> Array:
    """Return the mean and deviation over time of each band, and of the band's change from frame to frame.

    Parameters
    ----------
    frames : Array, shape (tracks, frames, bands)
        Frames of each track.

    Returns
    -------
    Array, shape (tracks, 4 * bands)
    """
    change = np.diff(frames, axis=1)
    parts = [measure(axis=1) for part in (frames, change) for measure in (part.mean, part.std)]
    return np.concatenate(parts, axis=1)


def _mels(tracks: MelTracks) -> dict[str, Any]:
    features = mel_statistics(tracks.frames(np.arange(len(tracks.genre))))
    predicted = predict_held_out(support_vectors, features, tracks.genre, tracks.ten_fold)
    return {
        "tracks": len(tracks.genre),
        "support vectors": over_folds(predicted == tracks.genre, tracks.ten_fold),
    }


def _tracks(data: Path, cache: Path) -> dict[str, Any]:
    features = FeatureCache(gtzan.recordings(data), cache, FRONT_END)
    sounds = SoundCache(group_duplicates(features.recordings, cache), cache)
    genres = sorted({track.category for track in sounds.recordings})
    check_folds(sounds.recordings, genres)
    genre = np.array([genres.index(track.category) for track in sounds.recordings])
    fold = np.array([track.fold for track in sounds.recordings])
    group = np.arange(len(sounds))
    for first, *others in find_duplicates(features):
        group[others] = first
    found: dict[str, Any] = {"tracks": len(sounds)}
    for name, weights in TRAININGS.items():
        embedded = embed_recordings(sounds, data / weights, cache)
        check_all_embedded(embedded, sounds)
        whole = pool_patches(np.sqrt(embedded.embedding), embedded.recording)
        found[name] = {
            "logistic regression": _by_length(logistic_regression, whole, embedded, genre, fold),
            "perceptron": _by_length(multilayer_perceptron, whole, embedded, genre, fold),
            "logistic regression, ten deals": _deals(whole, genre, group),
        }
    return found


def _by_length(
    make: Maker, whole: Array, embedded: PatchEmbeddings, genre: Array, fold: Array
) -> dict[str, Any]:
    """Return the accuracy on whole tracks, learnt from whole tracks, and on pieces of 3 s, learnt from pieces."""
    inside = embedded.start_samples % PIECE_SAMPLES + WINDOW_SAMPLES <= PIECE_SAMPLES
    pieces = int(embedded.start_samples.max()) // PIECE_SAMPLES + 1
    piece = (embedded.recording * pieces + embedded.start_samples // PIECE_SAMPLES)[inside]
    features = pool_patches(np.sqrt(embedded.embedding[inside]), piece)
    track = np.unique(piece) // pieces
    predicted = predict_held_out(make, features, genre[track], fold[track])
    return {
        "track": over_folds(predict_held_out(make, whole, genre, fold) == genre, fold),
        "3 s": over_folds(predicted == genre[track], fold[track]),
    }


def _deals(whole: Array, genre: Array, group: Array) -> dict[str, float]:
    """Return the mean and the spread of the accuracy over random splits of the tracks into five folds.

    Duplicates stay in one fold.
    """
    accuracies = []
    for seed in range(DEALS):
        fold = np.zeros(len(genre), int)
        deal = StratifiedGroupKFold(len(FOLDS), shuffle=True, random_state=seed)
        for number, (_, members) in enumerate(deal.split(whole, genre, group)):
            fold[members] = number
        accuracies.append(np.mean(predict_held_out(logistic_regression, whole, genre, fold) == genre))
    return {
        "mean": round(float(np.mean(accuracies)), 4),
        "spread": round(float(np.std(accuracies, ddof=1)), 4),
    }
