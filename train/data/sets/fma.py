"""FMA: clips of 30 s of the Free Music Archive, small and medium (Defferrard et al. 2017).

The layout is that of the unpacked archives, in ``fma/``: ``fma_metadata/tracks.csv`` and ``genres.csv``, and
``fma_small/000/000002.mp3`` (8,000 clips in 8 genres) or ``fma_medium`` (25,000 in 16).
"""

from __future__ import annotations

import csv
import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from streamer.errors import ConfigError
from train.data.recordings import FOLDS, Recording, folds_by_size
from train.errors import AbsentError

LICENCE = "Creative Commons, each track its own; metadata CC BY 4.0"
SOURCE = "which https://github.com/mdeff/fma links to"
"""Where the archives are, for the errors."""
MIN_SECONDS = 25.0
"""Length below which a clip counts as broken. Six clips of the small set are known to hold less than 2 s."""
Subset: TypeAlias = Literal["small", "medium"]
SUBSETS: dict[Subset, tuple[str, ...]] = {"small": ("small",), "medium": ("small", "medium")}
"""Values of the table's column ``subset`` for each subset: the table names the smallest one that a track is in."""
SPLITS = ("training", "validation", "test")
HELD_OUT = {"validation": 4, "test": 5}
_log = logging.getLogger(__name__)
COLUMNS = {
    "subset": ("set", "subset"),
    "split": ("set", "split"),
    "artist": ("artist", "id"),
    "genre_top": ("track", "genre_top"),
    "genres": ("track", "genres"),
    "genres_all": ("track", "genres_all"),
}


@dataclass(frozen=True)
class Track:
    """A track of FMA with its genres: a row of ``tracks.csv``.

    Attributes
    ----------
    number : int
        Identifier of the track; its file is named by it.
    artist : str
        Identifier of the artist.
    split : {"training", "validation", "test"}
        FMA's own split, which is meant to keep an artist's tracks together.
    genre_top : str
        Root genre; empty where the track has several.
    genres : tuple of str
        Titles of the genres that the artist chose, mostly sub-genres.
    genres_all : tuple of str
        Titles of those genres and of all genres above them.
    """

    number: int
    artist: str
    split: str
    genre_top: str
    genres: tuple[str, ...]
    genres_all: tuple[str, ...]


def recordings(root: Path, subset: Subset = "small") -> list[Recording]:
    """Return the clips of a subset below ``root/fma``, with the root genre as category and all genres as tags.

    FMA's own validation is fold 4 and its test is fold 5; folds 1 to 3 share its training by artist.

    Raises
    ------
    AbsentError
        If metadata or clips are not there.
    ConfigError
        If the tables are not FMA's.
    """
    return [clip for _, clip in _clips(root, subset)]


def sub_genres(root: Path, subset: Subset = "small") -> list[Recording]:
    """Return the clips of a subset with the genre that their artist chose, of any level, as category.

    Tracks with several such genres are left out, and so are genres that are absent from some fold: a classifier of
    exclusive labels can neither learn the first nor be measured on the second. Their number is logged.

    Raises
    ------
    AbsentError
        If metadata or clips are not there.
    ConfigError
        If the tables are not FMA's.
    """
    clips = _clips(root, subset)
    single = [replace(clip, category=track.genres[0]) for track, clip in clips if len(track.genres) == 1]
    # Kept only if every fold has some: a genre must be learnt, validated and tested.
    everywhere = set.intersection(
        *({clip.category for clip in single if clip.fold == fold} for fold in FOLDS)
    )
    kept = [clip for clip in single if clip.category in everywhere]
    _log.info(
        "of %d FMA tracks %d are of one genre, %d of one that each fold has",
        len(clips),
        len(single),
        len(kept),
    )
    return kept


def tracks(root: Path, subset: Subset) -> list[Track]:
    """Return the tracks of a subset that are listed in the metadata below ``root/fma/fma_metadata``.

    Of an artist whose tracks are in several of FMA's splits, only the tracks of one split are returned.

    Raises
    ------
    AbsentError
        If the tables are not there.
    ConfigError
        If the tables are not FMA's.
    """
    folder = root / "fma" / "fma_metadata"
    for name in ("tracks.csv", "genres.csv"):
        if not (folder / name).is_file():
            raise AbsentError(
                f"{folder} has no {name}; unpack fma_metadata.zip into {folder.parent}, {SOURCE}"
            )
    titles = _titles(folder / "genres.csv")
    found = list(_tracks(folder / "tracks.csv", SUBSETS[subset], titles))
    if not found:
        raise ConfigError(
            f"{folder / 'tracks.csv'} has no tracks of subset {subset}; expected FMA's own table"
        )
    return _without_straddling(found)


def _clips(root: Path, subset: Subset) -> list[tuple[Track, Recording]]:
    """Return the tracks of a subset with their clips."""
    folder = root / "fma" / f"fma_{subset}"
    found = tracks(root, subset)
    if not any(folder.glob("*/*.mp3")):
        raise AbsentError(
            f"{folder} has no clips 000/000002.mp3; unpack fma_{subset}.zip into {folder.parent}, {SOURCE}"
        )
    trained = Counter(track.artist for track in found if track.split not in HELD_OUT)
    folds = folds_by_size(trained, (1, 2, 3))
    clips = [
        Recording(
            f"fma_{subset}",
            f"{track.number:06}",
            (folder / f"{track.number:06}"[:3] / f"{track.number:06}.mp3",),
            "music",
            track.genre_top,
            HELD_OUT.get(track.split) or folds[track.artist],
            MIN_SECONDS,
            track.genres_all,
        )
        for track in found
    ]
    return list(zip(found, clips, strict=True))


def _without_straddling(found: list[Track]) -> list[Track]:
    """Keep, of an artist whose tracks are in several splits, only those of the strictest: test before validation."""
    strictest: dict[str, str] = {}
    for track in found:
        strictest[track.artist] = max(strictest.get(track.artist, track.split), track.split, key=SPLITS.index)
    kept = [track for track in found if track.split == strictest[track.artist]]
    if len(kept) < len(found):
        _log.warning("left out %d FMA tracks by artists that are in two splits", len(found) - len(kept))
    return kept


def _titles(table: Path) -> dict[int, str]:
    with table.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if not {"genre_id", "title"} <= set(reader.fieldnames or ()):
            raise ConfigError(f"{table} has columns {reader.fieldnames}; expected genre_id and title")
        return {int(row["genre_id"]): row["title"] for row in reader}


def _tracks(table: Path, subsets: tuple[str, ...], titles: dict[int, str]) -> Iterator[Track]:
    """Yield the rows below the header, whose three lines are: group of columns, column, name of the index."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        header = [next(rows, []) for _ in range(3)]
        places = {column: place for place, column in enumerate(zip(*header[:2], strict=False))}
        absent = [".".join(column) for column in COLUMNS.values() if column not in places]
        if absent or header[2][:1] != ["track_id"]:
            raise ConfigError(
                f"{table} has no {', '.join(absent) or 'track_id'}; expected FMA's own table, three header lines"
            )
        for row in rows:
            value = {name: row[places[column]] for name, column in COLUMNS.items()}
            if value["subset"] not in subsets:
                continue
            try:
                yield _track(int(row[0]), value, titles)
            except (KeyError, ValueError) as error:
                raise ConfigError(
                    f"{table} has track {row[0]} with {value}; expected FMA's own table"
                ) from error


def _track(number: int, value: dict[str, str], titles: dict[int, str]) -> Track:
    genres, genres_all = (
        tuple(titles[genre] for genre in json.loads(value[name])) for name in ("genres", "genres_all")
    )
    if value["split"] not in SPLITS:
        raise ValueError(value["split"])
    return Track(number, value["artist"], value["split"], value["genre_top"], genres, genres_all)
