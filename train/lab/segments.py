"""Segments of 1 s, music and not, with two kinds of features: mel statistics, and YAMNet's embedding."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.front_ends import music_front_end
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from train import augment
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import FOLDS
from train.data.sets.all_sound import music_or_not
from train.mixing.patch_embeddings import TRAININGS, embed_recordings

FRONT_END = LogMel(music_front_end(112))
AUDIBLE_SHARE = 0.5
"""Least share of a segment that is audible; others are left out, since nobody can say what they are."""
EACH = 30
"""Largest number of segments of a recording, so that few long recordings do not decide."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Segments:
    """Features of segments of 1 s.

    Attributes
    ----------
    features : float32 array, shape (segments, features)
        Features of each segment.
    is_music : bool array, shape (segments,)
        Whether its recording is music.
    fold : int array, shape (segments,)
        Fold of its recording, 1 to 5.
    recording : int array, shape (segments,)
        Number of its recording.
    names : tuple of str
        Names of the recordings, ``SOURCE/NAME``, by their numbers.
    """

    features: Array
    is_music: Array
    fold: Array
    recording: Array
    names: tuple[str, ...]


Maker = Callable[[Path, Path], Segments]
"""``make(data, cache)`` returns the segments of all folds, given the folders of the data sets and of all caches."""


def mel_statistics(data: Path, cache: Path) -> Segments:
    """Return segments described by mean and standard deviation of each mel band over the frames of the segment."""
    sounds = SoundCache(music_or_not(data, cache, FOLDS), cache)
    rows, recording = [], []
    for index, seconds in segments_of(sounds):
        frames = offline(FRONT_END, _seconds(sounds.samples(index))[seconds])
        rows.append(np.concatenate([frames.mean(1), frames.std(1)], axis=1))
        recording += [index] * len(seconds)
    return _labelled(sounds, np.concatenate(rows), np.array(recording))


def yamnet_embeddings(data: Path, cache: Path) -> Segments:
    """Return segments described by YAMNet's embedding of 0.975 s, by the training on TensorFlow Hub.

    Raises
    ------
    ModelError
        If the folder of the data sets has no weights of YAMNet.
    """
    sounds = SoundCache(music_or_not(data, cache, FOLDS), cache)
    found = embed_recordings(sounds, data / TRAININGS["hub"], cache, RATE_HZ)
    places = np.concatenate([np.flatnonzero(found.recording == n)[:EACH] for n in range(len(sounds))])
    return _labelled(sounds, found.embedding[places], found.recording[places])


def segments_of(sounds: SoundCache) -> Iterator[tuple[int, Array]]:
    """Yield the index of each recording that has segments, and the numbers of these seconds, shape (segments,)."""
    for index in range(len(sounds)):
        heard = _seconds(augment.audible_mask(sounds.samples(index))).mean(axis=1)
        seconds = np.flatnonzero(heard >= AUDIBLE_SHARE)[:EACH]
        if len(seconds):
            yield index, seconds


def _seconds(sound: Array) -> Array:
    """Return the whole seconds of a sound, or of what is known of each sample, shape (seconds, samples)."""
    whole = len(sound) // RATE_HZ * RATE_HZ
    return sound[:whole].reshape(-1, RATE_HZ)


def _labelled(sounds: SoundCache, features: Array, recording: Array) -> Segments:
    is_music = np.array([one.kind == "music" for one in sounds.recordings])
    fold = np.array([one.fold for one in sounds.recordings])
    _log.info("%d segments of %d recordings", len(features), len(sounds))
    return Segments(
        features.astype(np.float32), is_music[recording], fold[recording], recording, names_of(sounds)
    )


def names_of(sounds: SoundCache) -> tuple[str, ...]:
    """Return the names of recordings, ``SOURCE/NAME``."""
    return tuple(f"{one.source}/{one.name}" for one in sounds.recordings)
