"""All sets of songs with stems by name, and folders of the user's own songs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from streamer.errors import ConfigError
from train.data.sets import debian, mir1k, rendered, speech
from train.data.sets.catalogue import OWN_LICENCE
from train.data.sets.songs import over_free_music, spoken, stem_folders
from train.data.songs import Song


@dataclass(frozen=True)
class SongSet:
    """A set of songs with stems: its title and licence, and the function that reads it.

    Attributes
    ----------
    title : str
        Name of the set on model cards.
    read : callable
        ``read(root)`` returns the songs that lie in `root`, the folder of the data sets.
    licence : str
        Licence on model cards.
    """

    title: str
    read: Callable[[Path], list[Song]]
    licence: str


SONG_SETS: Mapping[str, SongSet] = MappingProxyType(
    {
        "mir1k": SongSet("MIR-1K", mir1k.songs, mir1k.LICENCE),
        "mir1k_literature": SongSet("MIR-1K", mir1k.literature_songs, mir1k.LICENCE),
        "musdb18": SongSet("MUSDB18", stem_folders.musdb18, stem_folders.LICENCE),
        "musdb18hq": SongSet("MUSDB18-HQ", stem_folders.musdb18hq, stem_folders.LICENCE),
        "over_free_music": SongSet(
            "MIR-1K's voices over Debian's and rendered music",
            over_free_music.songs,
            f"{mir1k.LICENCE}; {debian.LICENCE}; {rendered.LICENCE}",
        ),
        "spoken": SongSet("TSP speech over MIR-1K", spoken.songs, f"{speech.LICENCE}; {mir1k.LICENCE}"),
    }
)


def find_song_set(data: str) -> SongSet:
    """Return the set of songs with a name, or one that consists of a folder of the user's own.

    Raises
    ------
    ConfigError
        If `data` is neither the name of a set nor the path of a folder.
    """
    if data in SONG_SETS:
        return SONG_SETS[data]
    if data and Path(data).is_dir():
        return SongSet(Path(data).resolve().name, lambda _: stem_folders.own_songs(Path(data)), OWN_LICENCE)
    raise ConfigError(
        f"data names {data!r}; expected some of {', '.join(SONG_SETS)}, or the path of a folder with a folder of stems "
        "for each song"
    )


def find_songs(data: Sequence[str], root: Path) -> list[Song]:
    """Return the songs of several sets, one set after the other.

    Parameters
    ----------
    data : sequence of str
        Names in `SONG_SETS`, or paths of folders of the user's own songs.
    root : Path
        Folder of the data sets.
    """
    return [song for name in data for song in find_song_set(name).read(root)]
