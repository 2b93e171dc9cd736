"""Recordings of data sets, and how they are split into folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from streamer.errors import ConfigError

Split: TypeAlias = Literal["train", "validation", "test"]
Kind: TypeAlias = Literal["music", "speech", "sound", "singing"]

FOLDS = (1, 2, 3, 4, 5)
SUFFIXES = (".aac", ".aif", ".aiff", ".au", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma")
"""Suffixes of sound files that libsndfile or ffmpeg reads."""


@dataclass(frozen=True)
class Recording:
    """A recording of a data set: where its files are, and its labels.

    Attributes
    ----------
    source : str
        Name of the data set that the recording belongs to.
    name : str
        Name of the recording, unique within `source`.
    paths : tuple of Path
        Sample-aligned files, mostly one. The recording is the mean of their sounds.
    kind : {"music", "speech", "sound", "singing"}
        Kind of sound; ``singing`` is a voice without accompaniment.
    category : str
        Class in the data set's own terms: genre, sound class, singer.
    fold : int
        Fold, 1 to 5. Recordings of one origin (a singer, a speaker, a piece, a clip's original) share their fold.
    min_seconds : float
        Shortest length that the data set promises. A shorter clip is broken, and left out.
    tags : tuple of str
        Further labels, such as sub-genres, or the file in a package that a piece was cut from.
    streams : tuple of int
        Index of the sound stream in each file; empty takes the first of each.
    """

    source: str
    name: str
    paths: tuple[Path, ...]
    kind: Kind
    category: str
    fold: int
    min_seconds: float = 0.1
    tags: tuple[str, ...] = ()
    streams: tuple[int, ...] = ()

    @property
    def files(self) -> tuple[tuple[Path, int], ...]:
        """Path of each file, with the index of the sound stream that is read from the file."""
        return tuple(zip(self.paths, self.streams or (0,) * len(self.paths), strict=True))

    @property
    def split(self) -> Split:
        """Split that the recording belongs to by default: folds 1 to 3 train, fold 4 validates, fold 5 tests."""
        return "train" if self.fold <= 3 else "validation" if self.fold == 4 else "test"


def folds_by_order(groups: Iterable[str]) -> dict[str, int]:
    """Return a fold, 1 to 5, for each group; groups are assigned to the folds in turn, in alphabetical order.

    Parameters
    ----------
    groups : iterable of str
        Names of groups that must each stay in one fold. Repeated names count once.

    Returns
    -------
    dict
        Fold of each group, by the name of the group.
    """
    return {group: FOLDS[place % len(FOLDS)] for place, group in enumerate(sorted(set(groups)))}


def folds_by_size(sizes: Mapping[str, int], folds: Sequence[int]) -> dict[str, int]:
    """Return a fold for each group, so that the folds have about the same size.

    The largest group comes first, and each goes to the fold that is smallest so far.

    Parameters
    ----------
    sizes : mapping
        Number of recordings of each group, by the name of the group.
    folds : sequence of int
        Folds to which groups may be assigned.

    Returns
    -------
    dict
        Fold of each group, by the name of the group.
    """
    filled = dict.fromkeys(folds, 0)
    dealt = {}
    for group in sorted(sizes, key=lambda group: (-sizes[group], group)):
        dealt[group] = min(folds, key=lambda fold: filled[fold])
        filled[dealt[group]] += sizes[group]
    return dealt


def sound_files(folder: Path) -> list[Path]:
    """Return the sound files directly in a folder, sorted; hidden files (such as ``._*`` of macOS) are left out.

    Raises
    ------
    ConfigError
        If the folder has no sound files.
    """
    found = sorted(path for path in folder.glob("*") if is_sound(path))
    if not found:
        raise ConfigError(
            f"{folder} has no sound files; point STREAMER_DATA at the folder that holds the data sets"
        )
    return found


def is_sound(path: Path) -> bool:
    """Return whether a path has the suffix of a sound file (`SUFFIXES`) and is not hidden; the file is not read."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def check_folds(
    recordings: Sequence[Recording], classes: Iterable[str] = (), folds: Sequence[int] = FOLDS, least: int = 2
) -> None:
    """Refuse recordings that are too few to train and to measure on: a class without any, or a fold with too few.

    Parameters
    ----------
    recordings : sequence of Recording
        Recordings that are left after broken clips were skipped.
    classes : iterable of str
        Categories that must have at least one recording each.
    folds : sequence of int
        Folds that must have at least `least` recordings each.
    least : int
        Smallest number of recordings in a fold.

    Raises
    ------
    ConfigError
        If a class has no recording, or a fold too few.
    """
    name = ", ".join(sorted({r.source for r in recordings})) or "the data"
    expected = sorted(set(classes))
    absent = sorted(set(expected) - {r.category for r in recordings})
    if absent:
        raise ConfigError(
            f"{name} has no clips of {', '.join(absent)} in folds {', '.join(map(str, folds))}; expected some of each "
            f"of {len(expected)} classes; complete the data set, or see above which clips were skipped"
        )
    counts = Counter(r.fold for r in recordings)
    for fold in folds:
        if counts[fold] < least:
            raise ConfigError(
                f"fold {fold} of {name} has {counts[fold]} clips; expected at least {least}; "
                "add recordings, or see above which clips were skipped"
            )
