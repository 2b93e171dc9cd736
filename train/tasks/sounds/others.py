"""Sound that is none of ESC-50's classes, from which the head learns to name none (outlier exposure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.inference.onnx import OnnxModel
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.fold_arrays import FoldArrays
from train.data.recordings import Recording
from train.data.sets.all_sound import recordings_of_folds
from train.data.sets.none_of_classes import none_of_classes
from train.mixing.distillation.example_embeddings import load_example_embeddings
from train.mixing.distillation.examples import ALL_EXCERPTS, DistillationConfig


@dataclass(frozen=True)
class Others:
    """Excerpts of sound that is none of the classes, as an ear hears them, in groups of one data set and kind of sound.

    Attributes
    ----------
    groups : Mapping of str to FoldArrays
        The array ``embeddings``, shape (excerpts, 62, embedding_size), of each group, named as in ``debian, music``.
    sounds : tuple of SoundCache
        Sound of all groups.
    """

    groups: Mapping[str, FoldArrays]
    sounds: tuple[SoundCache, ...]

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Return random excerpts: their embeddings, float32, shape (count, 62, embedding_size).

        The group is drawn first; otherwise the data set with most hours would dominate.
        """
        groups = list(self.groups.values())
        drawn = [groups[number] for number in rng.integers(len(groups), size=count)]
        rows = [group.take("embeddings", rng.integers(len(group), size=1)) for group in drawn]
        return np.concatenate(rows)

    def each(self) -> Iterator[tuple[str, Array]]:
        """Yield the name of each group, and all its embeddings, float32, shape (excerpts, 62, embedding_size)."""
        for name, group in self.groups.items():
            yield name, group.take("embeddings", np.arange(len(group)))


def load_others(
    ear: OnnxModel,
    names: Sequence[str],
    folds: Sequence[int],
    hours: float,
    data: Path,
    cache: Path,
    highest_hz: tuple[float, float] | None = None,
) -> Others:
    """Return excerpts of recordings that hold none of the classes; make and store what is not on disk yet.

    Parameters
    ----------
    ear : OnnxModel
        Exported ear.
    names : sequence of str
        Names of data sets in `train.data.sets.catalogue`. Which of their recordings hold none of the classes is said by
        `train.data.sets.none_of_classes`.
    folds : sequence of int
        Folds, 1 to 5, whose recordings are used.
    hours : float
        Hours of excerpts of each group in each fold, at most; they are spread evenly over its recordings.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    highest_hz : tuple of float, optional
        As for `train.mixing.distillation.example_embeddings.load_example_embeddings`.

    Raises
    ------
    ConfigError
        If a data set is not there.
    """
    groups: dict[str, list[Mapping[str, Array]]] = {}
    used = []
    for fold in folds:
        for group, recordings in _grouped(recordings_of_folds(data, cache, [fold], names)).items():
            sounds = SoundCache(recordings, cache)
            config = _excerpts(sounds, hours)
            made = load_example_embeddings(ear, sounds, (), frozenset(), config, cache, highest_hz)
            if len(made):
                groups.setdefault(group, []).append({"embeddings": made.embeddings})
                used.append(sounds)
    return Others({name: FoldArrays(arrays) for name, arrays in sorted(groups.items())}, tuple(used))


def _grouped(recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    groups: dict[str, list[Recording]] = {}
    for recording in none_of_classes(recordings):
        groups.setdefault(f"{recording.source}, {recording.kind}", []).append(recording)
    return groups


def _excerpts(sounds: SoundCache, hours: float) -> DistillationConfig:
    """Return settings of examples that are excerpts alone, of at most `hours` of the sound."""
    there = sum(sounds.length(index) for index in range(len(sounds))) / RATE_HZ / 3600
    share = min(1.0, hours / there) if there else 0.0
    return DistillationConfig(scenes=0, excerpts_per_hour=int(ALL_EXCERPTS * share))
