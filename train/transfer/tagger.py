"""YAMNet's own labels, as ``streamer listen --model sounds=yamnet`` has them, on recordings of known classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.data.sets import esc50
from train.data.sets.all_sound import unambiguous_recordings
from train.evaluate.stepped_scores import SteppedScorer
from train.transfer.audioset_labels import ESC50_LABELS, group_of, naming_labels

AT_ONCE = 64
"""Recordings that are scored together; it bounds the memory of the scores of all 521 labels."""
LONGEST_S = 10.0
"""Length of the beginning of a recording that is scored."""
OF_A_SET = 60
"""Most recordings of a data set and kind other than ESC-50 in a fold."""


@dataclass(frozen=True)
class TaggedClips:
    """YAMNet's scores of recordings, for some labels, at the steps past the warm-up.

    Attributes
    ----------
    recordings : sequence of Recording
    labels : tuple of str
        Labels whose scores are kept: all that `train.transfer.audioset_labels` knows.
    highest, mean : float32 array, shape (recordings, labels)
        Highest and mean score over the steps.
    audible : list of float32 array, shape (steps, labels)
        Scores at the steps at which a recording is audible.
    """

    recordings: Sequence[Recording]
    labels: tuple[str, ...]
    highest: Array
    mean: Array
    audible: list[Array]

    @property
    def groups(self) -> Array:
        """Class or kind of each recording, see `group_of`."""
        return np.array([group_of(recording) for recording in self.recordings])


def clips_of_folds(data: Path, cache: Path, folds: Sequence[int]) -> list[Recording]:
    """Return all clips of ESC-50 in some folds, and some recordings of music, speech and singing."""
    found, counts = [], dict[tuple[str, str, int], int]()
    for one in unambiguous_recordings(data, cache, folds):
        key = one.source, one.kind, one.fold
        counts[key] = counts.get(key, 0) + 1
        if one.source != "esc50" and counts[key] <= OF_A_SET:
            found.append(one)
    return [*(one for one in esc50.recordings(data) if one.fold in folds), *found]


def tag(folder: Path, recordings: Sequence[Recording], cache: Path) -> TaggedClips:
    """Score recordings by a model folder of YAMNet, stepped as live.

    Parameters
    ----------
    folder : Path
        Folder that ``models pull yamnet`` or ``python -m train import-yamnet`` made.
    recordings : sequence of Recording
    cache : Path
        Folder of all caches.
    """
    scorer = SteppedScorer.of(folder, "sounds")
    known = {label for labels in ESC50_LABELS.values() for label in labels} | set(naming_labels().values())
    labels = tuple(label for label in scorer.manifest.labels if label in known)
    columns = [scorer.manifest.labels.index(label) for label in labels]
    sounds = SoundCache(list(recordings), cache)
    kept: list[Array] = []
    audible: list[Array] = []
    for first in range(0, len(sounds), AT_ONCE):
        batch = [
            sounds.samples(n)[: int(LONGEST_S * 16_000)]
            for n in range(first, min(first + AT_ONCE, len(sounds)))
        ]
        for sound, scores in zip(batch, scorer.all_scores(batch), strict=True):
            begin = min(scorer.warm_up_steps, len(scores) - 1)
            heard = scorer.audible_steps(sound)[: len(scores)]
            kept.append(scores[begin:, columns])
            audible.append(scores[: len(heard), columns][heard])
    return TaggedClips(
        sounds.recordings,
        labels,
        np.stack([scores.max(axis=0) for scores in kept]),
        np.stack([scores.mean(axis=0) for scores in kept]),
        audible,
    )
