"""Write and read ``labels.csv``, the table of all fetched pieces with their labels."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from streamer.errors import ConfigError
from train.data.debian.cut import PIECES, read_pieces, write_table
from train.data.debian.packages import Package
from train.data.recordings import FOLDS, Kind

LABELS = "labels.csv"


@dataclass(frozen=True)
class LabelledPiece:
    """A piece of sound from a Debian package with its labels: a row of ``labels.csv``.

    Attributes
    ----------
    file : str
        Path of the piece, ``PACKAGE/PIECE``, below the table's folder.
    package, source : str
        Name of the package, and path in the package of the file that the piece was cut from.
    kind : {"music", "speech", "sound", "singing"}
        Kind of sound.
    category : str
        Class of sound, such as ``effects`` or ``jingles``; see `train.data.debian.packages`.
    fold : int
        Fold, 1 to 5, the same for all pieces of a package.
    first_s, seconds : float
        Start of the piece in `source`, and its length.
    """

    file: str
    package: str
    source: str
    kind: Kind
    category: str
    fold: int
    first_s: float
    seconds: float


def label_all(folder: Path, packages: Iterable[Package]) -> list[LabelledPiece]:
    """Label the pieces of every fetched package, write the table ``labels.csv``, and return its rows.

    The table is written anew each time, so that a change of the labels needs no new download.

    Parameters
    ----------
    folder : Path
        Folder with a subfolder for each package.
    packages : iterable of Package
        Packages to label; those that were not fetched are ignored.
    """
    rows = [
        row
        for package in packages
        if (folder / package.name / PIECES).is_file()
        for row in _labelled(folder, package)
    ]
    write_table(folder / LABELS, LabelledPiece, rows)
    return rows


def read_labels(folder: Path) -> list[LabelledPiece]:
    """Return the rows of ``labels.csv`` in a folder.

    Raises
    ------
    ConfigError
        If the table is not there, or one of its rows has other columns or values.
    """
    path = folder / LABELS
    if not path.is_file():
        raise ConfigError(f"{path} is not there; run `python -m train fetch {folder.name}`")
    with path.open(newline="", encoding="utf-8") as table:
        return [_row(path, number, row) for number, row in enumerate(csv.DictReader(table), start=2)]


def hours(rows: Iterable[LabelledPiece]) -> dict[str, float]:
    """Return the length of all pieces of each kind of sound, in hours, by kind."""
    seconds: dict[str, float] = defaultdict(float)
    for row in rows:
        seconds[row.kind] += row.seconds
    return {kind: seconds[kind] / 3600 for kind in get_args(Kind)}


def _labelled(folder: Path, package: Package) -> Iterable[LabelledPiece]:
    for piece in read_pieces(folder / package.name / PIECES):
        label = package.label(piece.source)
        yield LabelledPiece(
            f"{package.name}/{piece.file}",
            package.name,
            piece.source,
            label.kind,
            label.category,
            package.fold,
            piece.first_s,
            piece.seconds,
        )


def _row(path: Path, number: int, row: dict[str, str]) -> LabelledPiece:
    try:
        fold = int(row["fold"])
        kind = row["kind"]
        if kind not in get_args(Kind) or fold not in FOLDS:
            raise ValueError(f"kind {kind!r} and fold {fold}")
        names = row["file"], row["package"], row["source"]
        return LabelledPiece(
            *names, cast(Kind, kind), row["category"], fold, float(row["first_s"]), float(row["seconds"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}, line {number}, cannot be used: {error}; expected the columns and values that `python -m train "
            f"fetch {path.parent.name}` writes: run it again, and what was fetched is kept"
        ) from error
