"""ESC-50: 2,000 clips of 5 s in 50 classes of everyday sound (Piczak 2015, CC BY-NC 3.0)."""

from __future__ import annotations

import csv
from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import FOLDS, Recording, sound_files

LICENCE = "CC BY-NC 3.0"
MIN_SECONDS = 4.9
COLUMNS = ("filename", "fold", "category")


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
    folder = root / "esc50"
    tables = [path for path in (folder / "esc50.csv", folder / "meta" / "esc50.csv") if path.is_file()]
    if not tables:
        raise ConfigError(f"{folder} has no esc50.csv; point STREAMER_DATA at the folder that holds esc50/")
    present = {path.stem: path for path in sound_files(folder / "audio")}
    found = []
    for row in _rows(tables[0]):
        stem = Path(row["filename"]).stem
        path = present.get(stem, folder / "audio" / row["filename"])
        found.append(
            Recording("esc50", stem, (path,), "sound", row["category"], int(row["fold"]), MIN_SECONDS)
        )
    return found


def classes(root: Path) -> tuple[str, ...]:
    """Return the names of ESC-50's classes in alphabetical order: all 50 if the set is complete."""
    return tuple(sorted({recording.category for recording in recordings(root)}))


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        rows = list(reader)
    absent = set(COLUMNS) - set(reader.fieldnames or ())
    if absent:
        raise ConfigError(f"{table} has no column {', '.join(sorted(absent))}; expected ESC-50's own table")
    wrong = sorted({row["fold"] for row in rows} - {str(fold) for fold in FOLDS})
    if wrong:
        raise ConfigError(f"{table} has fold {wrong[0]!r}; expected 1 to 5 as in ESC-50's own table")
    return rows
