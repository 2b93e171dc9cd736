"""All sound at hand: the data sets that the ear and the gate learn from, by fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from train.data.cache import SoundCache
from train.data.debian.packages import DOUBTFUL
from train.data.recordings import Recording, check_folds
from train.data.sets.catalogue import DATA_SETS

DEFAULT_DATA_SETS = ("gtzan", "music_speech", "mir1k", "speech", "esc50")
"""Of `train.data.sets.catalogue`; in their order recordings are drawn."""
AMBIGUOUS = frozenset(
    {("esc50", "church_bells"), ("music_speech", "chant"), *(("debian", category) for category in DOUBTFUL)}
)
"""Neither music nor not, by source and category or name: AudioSet's ontology files church bells under Musical
instrument > Bell, and chant under Human voice > Singing."""


def trained_on(data: Sequence[str] = DEFAULT_DATA_SETS) -> tuple[dict[str, str], ...]:
    """The data sets with their licences, as a manifest names them."""
    return tuple({"name": DATA_SETS[name].title, "licence": DATA_SETS[name].licence} for name in data)


def recordings(
    root: Path, cache: Path, folds: Sequence[int], data: Sequence[str] = DEFAULT_DATA_SETS
) -> list[Recording]:
    """All data sets' recordings of some folds.

    Parameters
    ----------
    root, cache : Path
        Folders of the data sets and of what is made of them.
    folds : sequence of int
    data : sequence of str
        Of `train.data.sets.catalogue`.

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
    """Sound of all data sets' recordings of some folds, each fold's by itself; arguments as of `recordings`."""
    found = recordings(root, cache, folds, data)
    return {fold: SoundCache([r for r in found if r.fold == fold], cache) for fold in folds}


def unambiguous_recordings(root: Path, cache: Path, folds: Sequence[int]) -> list[Recording]:
    """Of `recordings`, those that anybody can call music or not: what a gate learns from and is measured on.

    The solo voice of MIR-1K is among them (kind ``singing``): whether that is music is a matter of taste, so
    it is measured, not learnt.
    """
    found = recordings(root, cache, folds)
    return [r for r in found if not AMBIGUOUS & {(r.source, r.category), (r.source, r.name)}]


def check_clips(
    sounds: Mapping[int, SoundCache], learnt_folds: Sequence[int], classes: Sequence[str]
) -> None:
    """Refuse clips of everyday sound that cannot be trained and measured on, after broken ones were left out.

    Parameters
    ----------
    sounds : mapping of int to SoundCache
        By fold.
    learnt_folds : sequence of int
        Which must have clips of every class.
    classes : sequence of str

    Raises
    ------
    ConfigError
        If a class has none, or a fold too few to measure on.
    """
    clips = {fold: [r for r in cache.recordings if r.source == "esc50"] for fold, cache in sounds.items()}
    check_folds([r for fold in learnt_folds for r in clips[fold]], classes, learnt_folds)
    check_folds([r for found in clips.values() for r in found], folds=tuple(clips))
