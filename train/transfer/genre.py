"""GTZAN by classifiers on YAMNet's frozen embeddings of whole tracks, and on statistics of the mel file."""

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
from train.data.sets import gtzan, gtzan_mels
from train.data.sets.gtzan_mels import MelTracks
from train.mixing.distillation import FRONT_END
from train.transfer.classifiers import (
    Maker,
    held_out,
    logistic_regression,
    multilayer_perceptron,
    over_folds,
    support_vectors,
)
from train.transfer.embeddings import TRAININGS, Embedded, check_all_heard, embedded, pooled

PIECE_SAMPLES = 3 * RATE_HZ
DEALS = 10
"""How often the tracks are dealt out anew: with so few, the deal decides a few points."""


def figures(data: Path, cache: Path) -> dict[str, Any]:
    """Accuracy on tracks that were held out with all that find_duplicates them."""
    return {"tracks": _tracks(data, cache), "mels": _mels(gtzan_mels.load(data))}


def mel_statistics(frames: Array) -> Array:
    """Mean and deviation over time of each band, and of its change from frame to frame.

    Parameters
    ----------
    frames : Array, shape (tracks, frames, bands)

    Returns
    -------
    Array, shape (tracks, 4 * bands)
    """
    change = np.diff(frames, axis=1)
    parts = [measure(axis=1) for part in (frames, change) for measure in (part.mean, part.std)]
    return np.concatenate(parts, axis=1)


def _mels(tracks: MelTracks) -> dict[str, Any]:
    features = mel_statistics(tracks.frames(np.arange(len(tracks.genre))))
    said = held_out(support_vectors, features, tracks.genre, tracks.ten_fold)
    return {
        "tracks": len(tracks.genre),
        "support vectors": over_folds(said == tracks.genre, tracks.ten_fold),
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
        heard = embedded(sounds, data / weights, cache)
        check_all_heard(heard, sounds)
        whole = pooled(np.sqrt(heard.embedding), heard.recording)
        found[name] = {
            "logistic regression": _by_length(logistic_regression, whole, heard, genre, fold),
            "perceptron": _by_length(multilayer_perceptron, whole, heard, genre, fold),
            "logistic regression, ten deals": _deals(whole, genre, group),
        }
    return found


def _by_length(make: Maker, whole: Array, heard: Embedded, genre: Array, fold: Array) -> dict[str, Any]:
    """Accuracy on whole tracks, learnt from such, and on pieces of 3 s, learnt from such."""
    inside = heard.start_samples % PIECE_SAMPLES + WINDOW_SAMPLES <= PIECE_SAMPLES
    pieces = int(heard.start_samples.max()) // PIECE_SAMPLES + 1
    piece = (heard.recording * pieces + heard.start_samples // PIECE_SAMPLES)[inside]
    features = pooled(np.sqrt(heard.embedding[inside]), piece)
    track = np.unique(piece) // pieces
    said = held_out(make, features, genre[track], fold[track])
    return {
        "track": over_folds(held_out(make, whole, genre, fold) == genre, fold),
        "3 s": over_folds(said == genre[track], fold[track]),
    }


def _deals(whole: Array, genre: Array, group: Array) -> dict[str, float]:
    """Mean accuracy over deals of the tracks to five folds, repetitions together, and its spread over the deals."""
    accuracies = []
    for seed in range(DEALS):
        fold = np.zeros(len(genre), int)
        deal = StratifiedGroupKFold(len(FOLDS), shuffle=True, random_state=seed)
        for number, (_, members) in enumerate(deal.split(whole, genre, group)):
            fold[members] = number
        accuracies.append(np.mean(held_out(logistic_regression, whole, genre, fold) == genre))
    return {
        "mean": round(float(np.mean(accuracies)), 4),
        "spread": round(float(np.std(accuracies, ddof=1)), 4),
    }
