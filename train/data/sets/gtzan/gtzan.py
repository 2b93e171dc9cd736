"""GTZAN: tracks of 30 s in ten genres (Tzanetakis 2002, no licence stated, for research)."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import Recording, folds_by_order, sound_files

LICENCE = "none stated; research"
MIN_SECONDS = 25.0
LAYOUTS = ("genres", "genres_original", "Data/genres_original", "audio")
"""Places of the folder of genres: as published, in two copies in use, and in an excerpt. The first that exists
counts."""
LISTS = {"train_filtered.txt": (1, 2, 3), "valid_filtered.txt": (4,), "test_filtered.txt": (5,)}
"""The fault-filtered split (Kereliuk, Sturm & Larsen 2015), and the folds of each of its lists."""


def recordings(root: Path) -> list[Recording]:
    """Return the tracks of GTZAN below ``root/gtzan``, ``GENRE/GENRE.00000.wav`` in any of `LAYOUTS`.

    Where the three fault-filtered lists lie beside the genres or in ``root/gtzan``, they say which tracks are used and
    which of them train, validate and test. Otherwise all tracks are used, and those of a genre are assigned to the
    folds in turn; `train.data.duplicates` then puts tracks that are there twice into one fold.

    Raises
    ------
    ConfigError
        If there are no tracks, a genre has none, or some of the lists are there and others are not.
    """
    folder = next((f for name in LAYOUTS if (f := root / "gtzan" / name).is_dir()), None)
    genres = sorted(path for path in folder.iterdir() if path.is_dir()) if folder else []
    if not genres:
        raise ConfigError(
            f"{root / 'gtzan'} has no folders of genres in {', '.join(LAYOUTS)}; "
            "point STREAMER_DATA at the folder that holds gtzan/"
        )
    tracks = {f"{genre.name}/{path.stem}": path for genre in genres for path in sound_files(genre)}
    lists = _lists((root / "gtzan", genres[0].parent))
    if lists:
        folds = _folds_of_lists(lists)
        tracks = {name: tracks.get(name, genres[0].parent / f"{name}.wav") for name in folds}
    else:
        folds = {}
        for genre in genres:
            folds |= folds_by_order(name for name in tracks if name.startswith(f"{genre.name}/"))
    return [
        Recording("gtzan", path.stem, (path,), "music", name.split("/")[0], folds[name], MIN_SECONDS)
        for name, path in tracks.items()
    ]


def _lists(folders: tuple[Path, ...]) -> list[Path]:
    """Return the three lists of the first folder that has any; an empty list if no folder has."""
    for folder in folders:
        there = [path for name in LISTS if (path := folder / name).is_file()]
        if there and len(there) < len(LISTS):
            raise ConfigError(
                f"{folder} has {', '.join(path.name for path in there)}; expected all of {', '.join(LISTS)} or none"
            )
        if there:
            return there
    return []


def _folds_of_lists(lists: list[Path]) -> dict[str, int]:
    """Map ``GENRE/GENRE.00000`` to its fold; the training list is assigned to three folds in turn."""
    folds: dict[str, int] = {}
    for path in lists:
        lines = path.read_text(encoding="utf-8").split()
        names = [line.removesuffix(Path(line).suffix) for line in lines]
        wrong = [name for name in names if name.count("/") != 1]
        if wrong or not names:
            raise ConfigError(
                f"{path} has {wrong[0] if wrong else 'no lines'!r}; expected blues/blues.00029.wav"
            )
        twice = folds.keys() & set(names)
        if twice:
            raise ConfigError(
                f"{path} has {min(twice)}, which another list has too; expected each in one list"
            )
        own = LISTS[path.name]
        folds |= {name: own[place % len(own)] for place, name in enumerate(names)}
    return folds
