"""Cut sound files to pieces of 16 kHz mono, in the form that the readers of data sets take."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from tqdm import tqdm

from streamer.arrays import Array
from train.data.decode import RATE_HZ, ClipError, decode
from train.data.recordings import Recording

LONGEST_S = 30.0
"""Longest piece: as long as the clips of GTZAN."""
SHORTEST_S = 0.1
QUALITY = 0.5
"""Quality of Vorbis, 0 to 1: some 6 kB for a second of sound, a third of what FLAC takes. Nearly all files in the
packages are Vorbis or Opus of lower quality already, and labels do not depend on the last bits."""
BLOCK = RATE_HZ
"""Number of samples in a write, since libsndfile's Vorbis encoder needs stack for all samples of a write."""
WORKERS = 2
"""Threads that decode. Decoder, resampler and encoder release the interpreter lock."""
PIECES, SKIPPED = "pieces.csv", "skipped.csv"


@dataclass(frozen=True)
class Piece:
    """A piece of sound, cut from a file of a package: a row of ``pieces.csv``.

    Attributes
    ----------
    file : str
        Name of the piece's own file, such as ``00012-000.ogg``.
    source : str
        Path in the package of the file that the piece was cut from.
    first_s, seconds : float
        Start of the piece in that file, and length of the piece, both in seconds.
    """

    file: str
    source: str
    first_s: float
    seconds: float


@dataclass(frozen=True)
class Dropped:
    """A file of a package, or a part of one, that is left out, with the reason: a row of ``skipped.csv``."""

    source: str
    reason: str


def cut(name: str, files: Mapping[str, Path], folder: Path) -> tuple[list[Piece], list[Dropped]]:
    """Cut the sound files of a package to pieces of at most `LONGEST_S`, and write them and two tables to a folder.

    Parameters
    ----------
    name : str
        Name of the package.
    files : mapping
        Path on disk of each file, by its path in the package.
    folder : Path
        Folder for the pieces, ``pieces.csv`` and ``skipped.csv``.

    Returns
    -------
    pieces : list of Piece
        Pieces that were written.
    dropped : list of Dropped
        Files that do not decode, are silent, are shorter than `SHORTEST_S` or repeat another file, and silent pieces.
    """
    once, dropped = _without_copies(files)
    stems = [f"{number:05}" for number in range(len(once))]
    pieces: list[Piece] = []
    pool = ThreadPoolExecutor(WORKERS)
    try:
        made = pool.map(_cut_one, stems, repeat(name), once.keys(), once.values(), repeat(folder))
        for of_file, without in tqdm(made, name, len(once), unit=" files", disable=None):
            pieces += of_file
            dropped += without
    finally:
        pool.shutdown(
            cancel_futures=True
        )  # otherwise an interrupted fetch would continue to the package's end
    write_table(folder / PIECES, Piece, pieces)
    write_table(folder / SKIPPED, Dropped, dropped)
    return pieces, dropped


def write_table(path: Path, kind: type, rows: Iterable[Any]) -> None:
    """Write dataclasses of one kind to a CSV file, a column for each field; a reader sees the whole file or none."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        names = [field.name for field in fields(kind)]
        table.writerow(names)
        table.writerows([getattr(row, name) for name in names] for row in rows)
    partial.replace(path)


def read_pieces(path: Path) -> Iterator[Piece]:
    """Read ``pieces.csv``, the table of the pieces that were cut from one package, and yield its rows."""
    with path.open(newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            yield Piece(row["file"], row["source"], float(row["first_s"]), float(row["seconds"]))


def read_skipped(path: Path) -> Iterator[Dropped]:
    """Read ``skipped.csv``, the table of what was left out, and yield its rows."""
    with path.open(newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            yield Dropped(row["source"], row["reason"])


def _without_copies(files: Mapping[str, Path]) -> tuple[dict[str, Path], list[Dropped]]:
    """Return the files sorted by their paths in the package, without those whose content an earlier one has."""
    seen: dict[str, str] = {}
    once, dropped = {}, []
    for source, path in sorted(files.items()):
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest in seen:
            dropped.append(Dropped(source, f"it is the same file as {seen[digest]}"))
        else:
            seen[digest] = source
            once[source] = path
    return once, dropped


def _cut_one(
    stem: str, name: str, source: str, path: Path, folder: Path
) -> tuple[list[Piece], list[Dropped]]:
    """Cut one file into parts of equal length; silent ones are dropped."""
    try:
        sound = decode(Recording(name, source, (path,), "sound", "", 1, SHORTEST_S))
    except ClipError as error:
        return [], [Dropped(source, str(error).replace(str(path), "it"))]
    parts = np.array_split(sound, math.ceil(len(sound) / (LONGEST_S * RATE_HZ)))
    first_s, pieces, dropped = 0.0, [], []
    for number, part in enumerate(parts):
        seconds = len(part) / RATE_HZ
        if part.any():
            file = f"{stem}-{number:03}.ogg"
            write_vorbis(folder / file, part)
            pieces.append(Piece(file, source, round(first_s, 3), round(seconds, 3)))
        else:
            dropped.append(Dropped(source, f"it is silent from {first_s:.1f} s on, for {seconds:.1f} s"))
        first_s += seconds
    return pieces, dropped


def write_vorbis(path: Path, sound: Array) -> None:
    """Write sound at 16 kHz and mono to an Ogg Vorbis file."""
    with soundfile.SoundFile(
        path, "w", RATE_HZ, 1, format="OGG", subtype="VORBIS", compression_level=1 - QUALITY
    ) as out:
        for first in range(0, len(sound), BLOCK):
            out.write(sound[first : first + BLOCK])
