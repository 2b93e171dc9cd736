"""Check that a run of separation may start from the weights of another one, which must not know its held-out songs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.errors import ConfigError
from train.data.sets.songs.song_catalogue import find_songs
from train.data.songs import Song, songs_of_folds
from train.loop.config import read_config
from train.mixing.lone_stems import accompaniments, lone_voices

if TYPE_CHECKING:
    from train.tasks.separation.config import SeparationRunConfig

WARM_START_FILES = ("config.json", "best.pt")
"""Files of a run, or of a model released from it, that another run starts from."""


def check_warm_start(config: SeparationRunConfig, data: Path, cache: Path) -> None:
    """Refuse to start a run from the weights of another run that learnt from songs which the new run holds out.

    Runs that the other run started from itself are checked too.

    Parameters
    ----------
    config : SeparationRunConfig
        Configuration of the new run, whose `begin` is not empty.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If ``config.begin`` is not the folder of a run, or the run there learnt from a held-out song.
    """
    start = Path(config.begin)
    if absent := [name for name in WARM_START_FILES if not (start / name).is_file()]:
        raise ConfigError(
            f"begin is {config.begin!r}, in which there is no {absent[0]}; expected the folder of a run that was "
            "validated once, or of what was released from one"
        )
    learnt = _learnt(type(config), start, data, cache, set())
    folds = [fold for fold in (config.fold, config.validation_fold) if fold]  # 0 holds none out
    held_out = songs_of_folds(find_songs(config.data, data), folds)
    if known := [song.name for song in held_out if _paths(song) & learnt]:
        raise ConfigError(
            f"begin is {config.begin!r}, which learnt {len(known)} of the {len(held_out)} songs of "
            f"{' and '.join(f'fold {fold}' for fold in folds)}, such as {known[0]}; expected that it learnt none of "
            "them: hold out what it held out, or begin at random"
        )


def _learnt(
    kind: type[SeparationRunConfig], run: Path, data: Path, cache: Path, seen: set[Path]
) -> set[Path]:
    """Return the sound files that a run, and the runs that it started from, learnt from, if they still exist."""
    seen.add(run.resolve())
    config = read_config(kind, run / "config.json")
    paths: set[Path] = set()
    for name in config.data:
        try:
            songs = find_songs([name], data)
        except ConfigError:
            continue  # the set is not here, so none of its songs is held out
        paths.update(*(_paths(song) for song in songs_of_folds(songs, config.learnt_folds)))
    for names, read in ((config.voices, lone_voices), (config.accompaniments, accompaniments)):
        for name in names:
            with suppress(ConfigError):  # as above
                lone = read([name], data, cache, config.learnt_folds)
                paths.update(path.resolve() for recording in lone for path in recording.paths)
    before = Path(config.begin)
    if config.begin and before.resolve() not in seen and (before / "config.json").is_file():
        paths |= _learnt(kind, before, data, cache, seen)
    return paths


def _paths(song: Song) -> set[Path]:
    return {path.resolve() for path in (*song.voice.paths, *song.music.paths)}
