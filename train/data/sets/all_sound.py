"""The data sets that the ear and the gate are trained on, together, by fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from train.data.cache import SoundCache
from train.data.debian.packages import DOUBTFUL
from train.data.recordings import Recording, check_folds
from train.data.sets.catalogue import DATA_SETS, whole_of
from train.data.sets.labelled_folders import UNSURE

DEFAULT_DATA_SETS = ("gtzan", "music_speech", "mir1k", "speech", "esc50")
"""Names in `train.data.sets.catalogue`. Their order is part of a run's seed: recordings are drawn in it."""
SINGLE_SOUNDS = ("instruments", "pjs", "ambience", "animals", "effects", "babies")
"""Names of collections of single sounds, each small and from one source. What learns from them is measured on each of
them by a run that leaves it out."""
ONLY_MEASURED = frozenset({"games"})
"""Names of data sets that are kept for measuring: nothing learns from them."""
AMBIGUOUS = frozenset(
    {
        ("esc50", "church_bells"),
        ("music_speech", "chant"),
        ("ambience", UNSURE),
        ("effects", UNSURE),
        *(("debian", category) for category in DOUBTFUL),
    }
)
"""Recordings that are neither clearly music nor clearly not, by source and category or name: AudioSet's ontology files
church bells under Musical instrument > Bell, and chant under Human voice > Singing."""


def trained_on(data: Iterable[str] = DEFAULT_DATA_SETS) -> tuple[dict[str, str], ...]:
    """Return the title and licence of each data set, as ``name`` and ``licence``, for a manifest."""
    return tuple({"name": DATA_SETS[name].title, "licence": DATA_SETS[name].licence} for name in data)


def with_default_sets(data: Sequence[str]) -> tuple[str, ...]:
    """Return the names in `data` and `DEFAULT_DATA_SETS`, each once; a part gives way to the whole that is there too.

    So a model can be measured on the default sets whatever it learnt from, beside its own.
    """
    names = dict.fromkeys((*data, *DEFAULT_DATA_SETS))
    return tuple(name for name in names if whole_of(name) == name or whole_of(name) not in names)


def recordings_of_folds(
    root: Path, cache: Path, folds: Sequence[int], data: Sequence[str] = DEFAULT_DATA_SETS
) -> list[Recording]:
    """Return the recordings, of all the data sets in `data`, that are in `folds`.

    Parameters
    ----------
    root, cache : Path
        Folder of the data sets, and folder of all caches.
    folds : sequence of int
        Folds, 1 to 5, whose recordings are returned.
    data : sequence of str
        Names in `train.data.sets.catalogue`.

    Raises
    ------
    ConfigError
        If a data set is not there.
    """
    found = [r for name in data for r in DATA_SETS[name].recordings(root, cache)]
    return [r for r in found if r.fold in folds]


def sound_by_fold(
    root: Path, cache: Path, folds: Sequence[int], data: Sequence[str] = DEFAULT_DATA_SETS
) -> dict[int, SoundCache]:
    """Return, for each fold, a cache with the sound of its recordings; for arguments see `recordings_of_folds`."""
    found = recordings_of_folds(root, cache, folds, data)
    return {fold: SoundCache([r for r in found if r.fold == fold], cache) for fold in folds}


def sound_by_data_set(root: Path, cache: Path, folds: Sequence[int], data: Sequence[str]) -> list[SoundCache]:
    """Return a cache for each data set and fold with recordings; for arguments see `recordings_of_folds`."""
    found = [recordings_of_folds(root, cache, [fold], [name]) for name in data for fold in folds]
    return [SoundCache(recordings, cache) for recordings in found if recordings]


def unambiguous_recordings(
    root: Path, cache: Path, folds: Sequence[int], data: Sequence[str] = DEFAULT_DATA_SETS
) -> list[Recording]:
    """Return the recordings of `folds` that are clearly music or clearly not; for arguments see `recordings_of_folds`.

    The solo voice of MIR-1K is among them (kind ``singing``). Whether that is music is a matter of taste, so a gate
    is measured on it and does not learn from it.
    """
    found = recordings_of_folds(root, cache, folds, data)
    return [r for r in found if not AMBIGUOUS & {(r.source, r.category), (r.source, r.name)}]


def music_or_not(root: Path, cache: Path, folds: Sequence[int]) -> list[Recording]:
    """Return the recordings of `unambiguous_recordings` without voices that sing alone, which are neither."""
    found = unambiguous_recordings(root, cache, folds)
    return [recording for recording in found if recording.kind != "singing"]


def check_clips(
    sounds: Mapping[int, SoundCache], learnt_folds: Sequence[int], classes: Sequence[str]
) -> None:
    """Refuse clips of everyday sound, those of ESC-50, that are too few to train and to measure on.

    Parameters
    ----------
    sounds : mapping of int to SoundCache
        Sound of each fold.
    learnt_folds : sequence of int
        Folds that must have clips of every class among them.
    classes : sequence of str
        Classes of everyday sound.

    Raises
    ------
    ConfigError
        If a class has no clips, or a fold has too few to measure on.
    """
    clips = {fold: [r for r in cache.recordings if r.source == "esc50"] for fold, cache in sounds.items()}
    check_folds([r for fold in learnt_folds for r in clips[fold]], classes, learnt_folds)
    check_folds([r for found in clips.values() for r in found], folds=tuple(clips))
