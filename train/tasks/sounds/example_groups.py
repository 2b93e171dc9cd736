"""Examples for the sounds head beside those of ESC-50, in groups of one data set and one kind of sound or class.

There are further clips of ESC-50's classes, and sound that is none of them, from which the head learns to name nothing
(outlier exposure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from train.mixing.distillation.example_embeddings import ExampleEmbeddings, load_example_embeddings
from train.mixing.distillation.examples import ALL_EXCERPTS, DistillationConfig
from train.mixing.scenes import NO_CLASS


@dataclass(frozen=True)
class ExampleGroups:
    """Examples of 5 s, as an ear hears them, in groups.

    Attributes
    ----------
    groups : Mapping of str to FoldArrays
        Arrays of each group, named as in ``debian, music`` or ``animals, dog``: ``embeddings``, ``classes`` and
        ``clip``, as those of `train.mixing.distillation.example_embeddings.ExampleEmbeddings`.
    sounds : tuple of SoundCache
        Sound of all groups.
    """

    groups: Mapping[str, FoldArrays]
    sounds: tuple[SoundCache, ...]

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Array]:
        """Return the arrays of random examples, by name, with `count` rows each.

        The group is drawn first; otherwise the one with most examples would dominate.
        """
        groups = list(self.groups.values())
        drawn = [groups[number] for number in rng.integers(len(groups), size=count)]
        rows = [(group, rng.integers(len(group), size=1)) for group in drawn]
        return {
            name: np.concatenate([group.take(name, row) for group, row in rows])
            for name in ("embeddings", "classes", "clip")
        }

    def each(self) -> Iterator[tuple[str, Array]]:
        """Yield the name of each group, and all its embeddings, float32, shape (examples, 62, embedding_size)."""
        for name, group in self.groups.items():
            yield name, group.take("embeddings", np.arange(len(group)))


class GroupLoader:
    """Loads groups of examples of some folds; makes and stores what is not on disk yet.

    Parameters
    ----------
    ear : OnnxModel
        Exported ear.
    classes : sequence of str
        ESC-50's classes, in the order of their numbers.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    """

    def __init__(self, ear: OnnxModel, classes: Sequence[str], data: Path, cache: Path) -> None:
        self._ear, self._classes, self._data, self._cache = ear, tuple(classes), data, cache

    def clips(self, names: Sequence[str], variants: int, folds: Sequence[int]) -> ExampleGroups:
        """Return examples of the classes, from recordings whose category is one of them.

        Parameters
        ----------
        names : sequence of str
            Names of data sets in `train.data.sets.catalogue`.
        variants : int
            Number of examples of each recording: its beginning as recorded, and augmented excerpts.
        folds : sequence of int
            Folds, 1 to 5, whose recordings are used.

        Raises
        ------
        ConfigError
            If a data set is not there.
        """
        config = DistillationConfig(variants=variants, scenes=0)
        groups = _Groups()
        for group, sounds in self._grouped(names, folds, self._of_class):
            made = self._load(sounds, self._classes, config)
            groups.add(group, sounds, made.classes, made.clip, made.embeddings)
        return groups.all()

    def others(
        self,
        names: Sequence[str],
        hours: float,
        folds: Sequence[int],
        highest_hz: tuple[float, float] | None = None,
    ) -> ExampleGroups:
        """Return excerpts of recordings that hold none of the classes.

        Parameters
        ----------
        names : sequence of str
            Names of data sets in `train.data.sets.catalogue`. Which of their recordings hold none of the classes is
            said by `train.data.sets.none_of_classes`.
        hours : float
            Hours of excerpts of each group in each fold, at most; they are spread evenly over its recordings.
        folds : sequence of int
            Folds, 1 to 5, whose recordings are used.
        highest_hz : tuple of float, optional
            As for `train.mixing.distillation.example_embeddings.load_example_embeddings`.

        Raises
        ------
        ConfigError
            If a data set is not there.
        """
        groups = _Groups()
        for group, sounds in self._grouped(names, folds, _of_none):
            made = self._load(sounds, (), _excerpts(sounds, hours), highest_hz)
            # An effect's own labels would say that its class is unknown.
            classes = np.full(made.classes.shape, NO_CLASS, np.int8)
            groups.add(group, sounds, classes, made.clip, made.embeddings)
        return groups.all()

    def _grouped(
        self, names: Sequence[str], folds: Sequence[int], group_of: Callable[[Recording], str]
    ) -> Iterator[tuple[str, SoundCache]]:
        """Yield the name and the sound of each group of each fold; recordings whose group is empty are left out."""
        for fold in folds:
            groups: dict[str, list[Recording]] = {}
            for recording in recordings_of_folds(self._data, self._cache, [fold], names):
                groups.setdefault(group_of(recording), []).append(recording)
            yield from ((group, SoundCache(found, self._cache)) for group, found in groups.items() if group)

    def _of_class(self, recording: Recording) -> str:
        named = recording.kind == "sound" and recording.category in self._classes
        return f"{recording.source}, {recording.category}" if named else ""

    def _load(
        self,
        sounds: SoundCache,
        classes: Sequence[str],
        config: DistillationConfig,
        highest_hz: tuple[float, float] | None = None,
    ) -> ExampleEmbeddings:
        return load_example_embeddings(
            self._ear, sounds, classes, frozenset(), config, self._cache, highest_hz
        )


class _Groups:
    """Collects the arrays of groups, fold by fold."""

    def __init__(self) -> None:
        self._arrays: dict[str, list[Mapping[str, Array]]] = {}
        self._sounds: list[SoundCache] = []

    def add(self, group: str, sounds: SoundCache, classes: Array, clip: Array, embeddings: Array) -> None:
        if len(embeddings):
            arrays = {"embeddings": embeddings, "classes": classes, "clip": clip}
            self._arrays.setdefault(group, []).append(arrays)
            self._sounds.append(sounds)

    def all(self) -> ExampleGroups:
        groups = {name: FoldArrays(arrays) for name, arrays in sorted(self._arrays.items())}
        return ExampleGroups(groups, tuple(self._sounds))


def _of_none(recording: Recording) -> str:
    return f"{recording.source}, {recording.kind}" if none_of_classes([recording]) else ""


def _excerpts(sounds: SoundCache, hours: float) -> DistillationConfig:
    """Return settings of examples that are excerpts alone, of at most `hours` of the sound."""
    there = sum(sounds.length(index) for index in range(len(sounds))) / RATE_HZ / 3600
    share = min(1.0, hours / there) if there else 0.0
    return DistillationConfig(scenes=0, excerpts_per_hour=int(ALL_EXCERPTS * share))
