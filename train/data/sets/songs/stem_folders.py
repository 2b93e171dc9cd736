"""Songs with a file or folder of stems each: MUSDB18, MUSDB18-HQ, and the user's own."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import Kind, Recording, folds_by_size, is_sound
from train.data.sets.own_sounds import fold_by_hash
from train.data.songs import Song

LICENCE = "for education and research, most of it CC BY-NC-SA"
VOICES = ("vocals", "voice")
MIXTURES = ("mixture", "mix")
STREAMS: tuple[tuple[str, Kind, tuple[int, ...]], ...] = (
    ("voice", "singing", (4,)),
    ("music", "music", (1, 2, 3)),
)
"""Part, kind and sound streams in a ``.stem.mp4``, whose streams are mixture, drums, bass, other, vocals."""
VALIDATION = (
    "Actions - One Minute Smile",
    "Clara Berry And Wooldog - Waltz For My Victims",
    "Johnny Lokke - Promises & Lies",
    "Patrick Talbot - A Reason To Leave",
    "Triviul - Angelsaint",
    "Alexander Ross - Goodbye Bolero",
    "Fergessen - Nos Palpitants",
    "Leaf - Summerghost",
    "Skelpolu - Human Mistakes",
    "Young Griffo - Pennies",
    "ANiMAL - Rockshow",
    "James May - On The Line",
    "Meaxic - Take A Step",
    "Traffic Experiment - Sirens",
)
"""Songs that the community validates on (``musdb`` 0.4, ``mus.yaml``)."""


def musdb18(root: Path) -> list[Song]:
    """Return the songs of MUSDB18 (Rafii et al. 2017), ``root/musdb18/{train,test}/SONG.stem.mp4``.

    Its test songs are in fold 5 and the usual validation songs in fold 4; the others share folds 1 to 3.

    Raises
    ------
    ConfigError
        If either folder has no songs.
    """
    found = _parts(root / "musdb18", "*.stem.mp4")
    folds = _folds({part: [_title(path) for path in files] for part, files in found.items()})
    return [_of_stem_file(path, folds[_title(path)]) for files in found.values() for path in files]


def musdb18hq(root: Path) -> list[Song]:
    """Return the songs of MUSDB18-HQ, ``root/musdb18hq/{train,test}/SONG/vocals.wav`` and so on.

    They have the folds of `musdb18`.
    """
    found = _parts(root / "musdb18hq", "*/")
    folds = _folds({part: [path.name for path in folders] for part, folders in found.items()})
    return [_of_folder(path, "musdb18hq", folds[path.name]) for folders in found.values() for path in folders]


def own_songs(folder: Path) -> list[Song]:
    """Return the user's own songs: ``folder/SONG`` with ``vocals`` and ``accompaniment``, or with all other stems.

    A ``mixture`` is not needed. The fold is a hash of the artist (`train.data.sets.own_sounds.fold_by_hash`), which is
    the part of the folder's name before `` - ``, or the whole name.

    Raises
    ------
    ConfigError
        If there is no song, or one lacks a stem.
    """
    songs = sorted(path for path in folder.glob("*/") if not path.name.startswith("."))
    if not songs:
        raise ConfigError(
            f"{folder} has no folders; expected one for each song, with vocals and accompaniment"
        )
    return [_of_folder(song, folder.resolve().name, fold_by_hash(_artist(song.name))) for song in songs]


def _parts(folder: Path, pattern: str) -> dict[str, list[Path]]:
    """Return the files or folders of the songs in ``train`` and ``test``."""
    found = {part: sorted((folder / part).glob(pattern)) for part in ("train", "test")}
    for part, songs in found.items():
        if not songs:
            raise ConfigError(
                f"{folder / part} has no songs ({pattern}); point STREAMER_DATA at the folder that holds {folder.name}/"
            )
    return found


def _folds(titles: dict[str, list[str]]) -> dict[str, int]:
    training = [title for title in titles["train"] if title not in VALIDATION]
    folds = folds_by_size(dict.fromkeys(training, 1), (1, 2, 3))
    return {**folds, **dict.fromkeys(VALIDATION, 4), **dict.fromkeys(titles["test"], 5)}


def _title(path: Path) -> str:
    return path.name.removesuffix(".stem.mp4")


def _artist(title: str) -> str:
    return title.split(" - ")[0]


def _of_stem_file(path: Path, fold: int) -> Song:
    title = _title(path)
    voice, music = (
        Recording("musdb18", f"{title}/{part}", (path,) * len(streams), kind, part, fold, streams=streams)
        for part, kind, streams in STREAMS
    )
    return Song(voice, music, title, _artist(title))


def _of_folder(folder: Path, source: str, fold: int) -> Song:
    """Return a song whose files are named after their stems."""
    stems = {path.stem.lower(): path for path in sorted(folder.iterdir()) if is_sound(path)}
    voices = [stems.pop(name) for name in VOICES if name in stems]
    for name in MIXTURES:
        stems.pop(name, None)
    others = [stems["accompaniment"]] if "accompaniment" in stems else list(stems.values())
    if len(voices) != 1 or not others:
        found = ", ".join(path.name for path in sorted(folder.iterdir())) or "nothing"
        raise ConfigError(
            f"{folder} holds {found}; expected vocals and accompaniment, or vocals and the other stems, as sound files"
        )
    voice = Recording(source, f"{folder.name}/voice", (voices[0],), "singing", "voice", fold)
    music = Recording(source, f"{folder.name}/music", tuple(others), "music", "accompaniment", fold)
    return Song(voice, music, folder.name, _artist(folder.name))
