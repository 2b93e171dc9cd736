"""The user's own sounds or music: a folder of folders, each named by the class of the files in it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import FOLDS, Kind, Recording, is_sound


def recordings(folder: Path, kind: Kind) -> list[Recording]:
    """Return all sounds below ``folder/CLASS``, at any depth, with the name of their folder as category.

    The fold is a hash of the file's stem without a trailing ``-N``. So ``door-1.wav`` and ``door-2.wav``, two variants
    of one sound, share a fold, and a file keeps its fold when others are added or removed. The source of the recordings
    is the name of `folder`.

    Parameters
    ----------
    folder : Path
        Folder with a folder of sounds for each class.
    kind : {"music", "speech", "sound", "singing"}
        Kind that every sound in the folder has.

    Raises
    ------
    ConfigError
        If there are fewer than two classes, a class is empty, or sounds lie outside the classes.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; expected one with a folder of sounds for each class")
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    stray = [path for path in inside if path.is_file() and is_sound(path)]
    if stray:
        raise ConfigError(f"{stray[0]} is in no class; move it into a folder that is named as its class is")
    classes = [path for path in inside if path.is_dir()]
    if len(classes) < 2:
        raise ConfigError(
            f"{folder} has {len(classes)} folders; expected at least two, each named as its class is"
        )
    return [recording for each in classes for recording in _of_class(folder, each, kind)]


def fold_by_hash(stem: str) -> int:
    """Return the fold, 1 to 5, of a file by the SHA-256 of its stem, in lower case and without a trailing ``-N``."""
    origin = re.sub(r"(-\d+)+$", "", stem.lower())
    return FOLDS[int.from_bytes(hashlib.sha256(origin.encode()).digest()) % len(FOLDS)]


def _of_class(folder: Path, of_class: Path, kind: Kind) -> list[Recording]:
    files = sorted(path for path in of_class.rglob("*") if is_sound(path))
    if not files:
        raise ConfigError(f"{of_class} has no sound files; add some of {of_class.name}, or remove the folder")
    names = [path.relative_to(folder).as_posix() for path in files]
    source = folder.resolve().name
    return [
        Recording(source, name, (path,), kind, of_class.name, fold_by_hash(path.stem))
        for name, path in zip(names, files, strict=True)
    ]
