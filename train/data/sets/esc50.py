"""ESC-50: 2,000 clips of 5 s in 50 classes of everyday sound (Piczak 2015, CC BY-NC 3.0), and its part ESC-10.

ESC-10 is all 400 clips of ten of the classes. They alone are under CC BY: the data set's README says so, and its file
LICENSE names the author of each clip.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import FOLDS, Recording, sound_files

LICENCE = "CC BY-NC 3.0"
ESC10_LICENCE = "CC BY: ESC-50's LICENSE names the author of each clip"
MIN_SECONDS = 4.9
COLUMNS = ("filename", "fold", "category")
ESC10 = "esc10"
"""Column of the table that says, by True or False, whether a clip is in ESC-10."""


def recordings(root: Path) -> list[Recording]:
    """Return all clips of ESC-50 below ``root/esc50`` (``esc50.csv`` there or in ``meta``, sound in ``audio``).

    The folds are the official ones, which keep a class's clips of one original recording together (four originals gave
    clips to two classes, and to two folds). The table names ``.wav`` files; files of another format with the same stem
    are found too.

    Raises
    ------
    ConfigError
        If there is no table, no sound, or the table is not that of ESC-50.
    """
    return _clips(root, _rows(_table(root), COLUMNS))


def esc10(root: Path) -> list[Recording]:
    """Return the clips of ESC-50 that are ESC-10, by the table's column ``esc10``; see `recordings`.

    Their source is ``esc50``, and their folds are those of ESC-50.

    Raises
    ------
    ConfigError
        If there is no table, no sound, no clip of ESC-10, or the table is not that of ESC-50.
    """
    table = _table(root)
    rows = [row for row in _rows(table, (*COLUMNS, ESC10)) if row[ESC10] == "True"]
    if not rows:
        raise ConfigError(f"{table} has no True in column {ESC10}; expected ESC-50's own table")
    return _clips(root, rows)


def classes(root: Path) -> tuple[str, ...]:
    """Return the names of ESC-50's classes in alphabetical order: all 50 if the set is complete."""
    return classes_of(recordings(root))


def classes_of(clips: Iterable[Recording]) -> tuple[str, ...]:
    """Return the names of the classes of some clips in alphabetical order."""
    return tuple(sorted({clip.category for clip in clips}))


def _table(root: Path) -> Path:
    folder = root / "esc50"
    tables = [path for path in (folder / "esc50.csv", folder / "meta" / "esc50.csv") if path.is_file()]
    if not tables:
        raise ConfigError(f"{folder} has no esc50.csv; point STREAMER_DATA at the folder that holds esc50/")
    return tables[0]


def _clips(root: Path, rows: Iterable[Mapping[str, str]]) -> list[Recording]:
    folder = root / "esc50" / "audio"
    present = {path.stem: path for path in sound_files(folder)}
    found = []
    for row in rows:
        stem = Path(row["filename"]).stem
        path = present.get(stem, folder / row["filename"])
        found.append(
            Recording("esc50", stem, (path,), "sound", row["category"], int(row["fold"]), MIN_SECONDS)
        )
    return found


def _rows(table: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        rows = list(reader)
    absent = set(columns) - set(reader.fieldnames or ())
    if absent:
        raise ConfigError(f"{table} has no column {', '.join(sorted(absent))}; expected ESC-50's own table")
    wrong = sorted({row["fold"] for row in rows} - {str(fold) for fold in FOLDS})
    if wrong:
        raise ConfigError(f"{table} has fold {wrong[0]!r}; expected 1 to 5 as in ESC-50's own table")
    return rows
