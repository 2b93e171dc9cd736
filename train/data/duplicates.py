"""Recordings that are in a data set twice: found by their sound, and kept in one fold.

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
ALIKE = 0.9
"""Correlation from which two tracks are one. Of GTZAN's 50 at hand, the closest two reach 0.40."""


def find_duplicates(cache: FeatureCache, seconds: float = SECONDS) -> list[list[int]]:
    """Groups of recordings whose starts sound the same: other levels, encodings and equalisers count as same.

    Excerpts of one piece that start at different places are not found. It is meant for music: clips that are
    mostly silence correlate by their silence.

    Parameters
    ----------
    cache : FeatureCache
    seconds : float
        How much of each is compared; recordings that are shorter are compared to none.

    Returns
    -------
    list of list of int
        Places in ``cache.recordings``, at least two a group.
    """
    rate_hz = cache.front_end.config.sample_rate_hz / cache.front_end.config.hop_samples
    blocks = int(seconds * rate_hz) // BLOCK_FRAMES
    places = [i for i in range(len(cache)) if cache.length(i) >= blocks * BLOCK_FRAMES]
    if not places:
        return []
    prints = np.stack([_print(cache.frames(i, 0, blocks * BLOCK_FRAMES)) for i in places])
    group = list(range(len(places)))
    for row, print_ in enumerate(prints):
        for other in np.flatnonzero(prints[:row] @ print_ >= ALIKE).tolist():
            old, new = group[row], group[other]
            group = [new if g == old else g for g in group]
    found = [[places[i] for i, g in enumerate(group) if g == name] for name in sorted(set(group))]
    return [members for members in found if len(members) > 1]


def group_duplicates(
    recordings: Sequence[Recording], cache: Path, seconds: float = SECONDS
) -> list[Recording]:
    """Recordings with each repetition (see `find_duplicates`) in the fold of the first of its group.

    Parameters
    ----------
    recordings : sequence of Recording
        Of one source. Those that cannot be read stay as they are.
    cache : Path
        Folder of what is made of them.
    seconds : float
        As in `find_duplicates`.
    """
    features = FeatureCache(recordings, cache, LogMel())
    there = features.recordings
    folds = {
        there[place].name: there[first].fold
        for first, *others in find_duplicates(features, seconds)
        for place in others
    }
    return [dataclasses.replace(each, fold=folds.get(each.name, each.fold)) for each in recordings]


def _print(frames: Array) -> Array:
    """Levels of bands in blocks of 0.1 s, without each band's mean; of length one."""
    blocks = frames.reshape(-1, BLOCK_FRAMES, frames.shape[1]).mean(axis=1)
    centred = (blocks - blocks.mean(axis=0)).ravel()
    return centred / max(float(np.linalg.norm(centred)), 1e-9)
