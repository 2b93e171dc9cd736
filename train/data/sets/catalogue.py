"""Data sets by name, and folders of the user's own: where clips are looked up, and what can be learnt from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from streamer.errors import ConfigError
from train.data.duplicates import group_duplicates
from train.data.recordings import Kind, Recording
from train.data.sets import debian, esc50, fma, gtzan, mir1k, music_speech, own_sounds, speech

OWN_LICENCE = "the user's own"


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Attributes
    ----------
    title : str
        As a card names it.
    read : callable
        ``read(root)``: what is there, root being the folder of the data sets.
    licence : str
    has_duplicates : bool
        Whether it is known to have recordings twice, unmarked.
    """

    title: str
    read: Callable[[Path], list[Recording]]
    licence: str
    has_duplicates: bool = False

    def recordings(self, root: Path, cache: Path) -> list[Recording]:
        """Its recordings; what it has twice is in one fold.

        Parameters
        ----------
        root, cache : Path
            Folders of the data sets and of what is made of them.

        Raises
        ------
        ConfigError
            If they are not there.
        """
        found = self.read(root)
        return group_duplicates(found, cache) if self.has_duplicates else found


DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
    {
        "esc50": DataSet("ESC-50", esc50.recordings, esc50.LICENCE),
        "gtzan": DataSet("GTZAN", gtzan.recordings, gtzan.LICENCE, has_duplicates=True),
        "music_speech": DataSet("GTZAN music/speech", music_speech.recordings, music_speech.LICENCE),
        "mir1k": DataSet("MIR-1K", mir1k.recordings, mir1k.LICENCE),
        "speech": DataSet("TSP speech", speech.recordings, speech.LICENCE),
        "debian": DataSet("Debian's packages", debian.recordings, debian.LICENCE),
        "fma_small": DataSet("FMA small", partial(fma.recordings, subset="small"), fma.LICENCE),
        "fma_medium": DataSet("FMA medium", partial(fma.recordings, subset="medium"), fma.LICENCE),
        "fma_small_sub_genres": DataSet("FMA small", partial(fma.sub_genres, subset="small"), fma.LICENCE),
        "fma_medium_sub_genres": DataSet("FMA medium", partial(fma.sub_genres, subset="medium"), fma.LICENCE),
    }
)
"""Their names are the ``source`` of their recordings, but for sub-genres, whose recordings are those of the subset."""
WITH_CATEGORIES = tuple(name for name in DATA_SETS if name not in ("speech", "debian"))
"""Those whose categories can be told: those of `train.data.sets.speech` are its speakers, each in one fold alone, and
Debian's packages name none."""


def find_data_set(data: str, own_kind: Kind) -> DataSet:
    """A data set by its name, or a folder of folders by its path.

    Parameters
    ----------
    data : str
    own_kind : {"music", "speech", "sound", "singing"}
        What a folder of folders is of.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    if data in WITH_CATEGORIES:
        return DATA_SETS[data]
    if data and Path(data).is_dir():
        return DataSet(
            Path(data).resolve().name, lambda _: own_sounds.recordings(Path(data), own_kind), OWN_LICENCE
        )
    raise ConfigError(
        f"data is {data!r}; expected one of {', '.join(WITH_CATEGORIES)}, or the path of a folder with a folder of "
        "sounds for each class: --set data=FOLDER"
    )
