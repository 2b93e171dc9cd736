"""Find recordings that a data set holds twice by their sound, and put them into one fold.

GTZAN has 50 exact repetitions among its 1,000 tracks, one of them in two genres (Sturm 2013, arXiv:1306.1461).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from train.data.features import FeatureCache
from train.data.recordings import Recording

BLOCK_FRAMES = 10
SECONDS = 24.0
SAME_CORRELATION = 0.9
"""Correlation from which two tracks count as one. The closest two different tracks of GTZAN's 50 reach 0.40."""


def find_duplicates(cache: FeatureCache, seconds: float = SECONDS) -> list[list[int]]:
    """Return groups of recordings whose beginnings sound the same, whatever their level, encoding and equaliser.

    The levels of bands in blocks of 0.1 s are correlated. Excerpts of one piece that start at different places are not
    found. The search is meant for music: clips that are mostly silence correlate by their silence.

    Parameters
    ----------
    cache : FeatureCache
        Log-mel frames of the recordings.
    seconds : float
        Length of the beginnings that are compared. Recordings that are shorter are in no group.

    Returns
    -------
    list of list of int
        Indices into ``cache.recordings``, at least two in each group.
    """
    rate_hz = cache.front_end.config.sample_rate_hz / cache.front_end.config.hop_samples
    blocks = int(seconds * rate_hz) // BLOCK_FRAMES
    places = [i for i in range(len(cache)) if cache.length(i) >= blocks * BLOCK_FRAMES]
    if not places:
        return []
    prints = np.stack([_fingerprint(cache.frames(i, 0, blocks * BLOCK_FRAMES)) for i in places])
    group = list(range(len(places)))  # each recording starts as a group of its own; equal ones are merged
    for row, fingerprint in enumerate(prints):
        for other in np.flatnonzero(prints[:row] @ fingerprint >= SAME_CORRELATION).tolist():
            old, new = group[row], group[other]
            group = [new if g == old else g for g in group]
    found = [[places[i] for i, g in enumerate(group) if g == name] for name in sorted(set(group))]
    return [members for members in found if len(members) > 1]


def group_duplicates(
    recordings: Sequence[Recording], cache: Path, seconds: float = SECONDS
) -> list[Recording]:
    """Return the recordings with each duplicate moved to the fold of the first recording that it repeats.

    A model is thereby never tested on a recording that it was trained on. The order is kept.

    Parameters
    ----------
    recordings : sequence of Recording
        Recordings of one data set. Unreadable ones are returned unchanged.
    cache : Path
        Folder of all caches.
    seconds : float
        Length of the beginnings that are compared; see `find_duplicates`.
    """
    features = FeatureCache(recordings, cache, LogMel())
    there = features.recordings
    folds = {
        there[place].name: there[first].fold
        for first, *others in find_duplicates(features, seconds)
        for place in others
    }
    return [dataclasses.replace(each, fold=folds.get(each.name, each.fold)) for each in recordings]


def _fingerprint(frames: Array) -> Array:
    """Return the levels of bands in blocks of 0.1 s, centred for each band and scaled to a norm of 1.

    The dot product of two fingerprints is their correlation.
    """
    blocks = frames.reshape(-1, BLOCK_FRAMES, frames.shape[1]).mean(axis=1)
    centred: Array = (blocks - blocks.mean(axis=0)).ravel()
    return centred / max(float(np.linalg.norm(centred)), 1e-9)
