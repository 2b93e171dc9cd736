"""Write and read ``index.csv``, the table of all pieces that `python -m train render` made, with their labels."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import ConfigError
from train.data.debian.cut import write_table
from train.data.recordings import FOLDS

INDEX = "index.csv"


@dataclass(frozen=True)
class RenderedPiece:
    """A rendered piece of music with its labels: a row of ``index.csv``.

    Attributes
    ----------
    file : str
        Path of the piece below the table's folder.
    arrangement : str
        ``solo``, ``drums``, ``ensemble`` or ``full``.
    family : str
        Family of the instrument of a solo, such as ``strings``; ``drums``; else empty.
    programmes : str
        Numbers of the General MIDI programmes, from 0, that play; ``drums N`` is drum kit N.
    soundfont : str
        Debian package of the sampled instruments.
    score : str
        Debian package and path of the MIDI file, or ``own/`` and the form of a score that the trainer wrote.
    tempo_bpm : float
        Tempo in quarter notes a minute, at the start of the piece.
    room : str
        ``dry``, or ``room`` with a room's reverberation.
    seed, number : int
        Seed and number from which everything random in the piece is drawn.
    fold : int
        Fold, 1 to 5, of both the soundfont and the score.
    seconds : float
        Length of the piece in seconds.
    soundfont_licence, score_licence : str
        Licences.
    """

    file: str
    arrangement: str
    family: str
    programmes: str
    soundfont: str
    score: str
    tempo_bpm: float
    room: str
    seed: int
    number: int
    fold: int
    seconds: float
    soundfont_licence: str
    score_licence: str

    @property
    def category(self) -> str:
        """Class of sound: family of the instrument of a solo, otherwise the arrangement."""
        return self.family if self.arrangement == "solo" else self.arrangement


def write_index(path: Path, rows: Iterable[RenderedPiece]) -> None:
    """Write a table of pieces; a reader sees the whole table or none."""
    write_table(path, RenderedPiece, rows)


def read_index(path: Path) -> list[RenderedPiece]:
    """Return the rows of a table of pieces.

    Raises
    ------
    ConfigError
        If the table is not there, or one of its rows has other columns or values.
    """
    if not path.is_file():
        raise ConfigError(f"{path} is not there; run `python -m train render`")
    with path.open(newline="", encoding="utf-8") as table:
        return [_row(path, number, row) for number, row in enumerate(csv.DictReader(table), start=2)]


def hours_by_arrangement(rows: Iterable[RenderedPiece]) -> dict[str, float]:
    """Return the length of all pieces of each arrangement in hours, by arrangement."""
    hours: dict[str, float] = defaultdict(float)
    for row in rows:
        hours[row.arrangement] += row.seconds / 3600
    return dict(sorted(hours.items()))


def _row(path: Path, number: int, row: dict[str, str]) -> RenderedPiece:
    try:
        fold = int(row["fold"])
        if fold not in FOLDS:
            raise ValueError(f"fold {fold}")
        return RenderedPiece(
            row["file"],
            row["arrangement"],
            row["family"],
            row["programmes"],
            row["soundfont"],
            row["score"],
            float(row["tempo_bpm"]),
            row["room"],
            int(row["seed"]),
            int(row["number"]),
            fold,
            float(row["seconds"]),
            row["soundfont_licence"],
            row["score_licence"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}, line {number}, cannot be used: {error}; expected the columns and values that `python -m train "
            "render` writes: remove the folder, and render again"
        ) from error
