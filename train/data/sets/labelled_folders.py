"""Folders of single sounds with a table of labels: instruments, ambience, animals, effects, crying babies, PJS.

Each holds sound files and ``labels.csv``, whose column ``file`` names them. What the other columns say differs, so each
folder has a function here that reads a row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from streamer.errors import ConfigError
from train.data.recordings import Kind, Recording, folds_by_order

UNSURE = "unsure"
"""Category of sound that is neither clearly music nor clearly not."""
TAKE = 10
"""Clips of animals and babies with neighbouring numbers may be of one take; this many of them share a fold."""
EFFECTS_MUSIC = frozenset({"piano"})
EFFECTS_UNSURE = frozenset({"church_bells", "mermaid_song", "whistle"})
EFFECTS_IN_ESC50 = frozenset({"sounds_clock_tick"})
"""Names of effects that are left out, since a clip of ESC-50 is the same recording (4-188033-A-38): the loudest half
second of it correlates with that clip by more than 0.9, which a test holds."""
EFFECTS_ESC50: Mapping[str, str] = MappingProxyType(
    {
        "bird": "chirping_birds",
        "canary": "chirping_birds",
        "chicken": "hen",
        "church_bells": "church_bells",
        "clock_tick": "clock_tick",
        "cow_moo": "cow",
        "cricket": "crickets",
        "crow_caw": "crow",
        "door_knock": "door_wood_knock",
        "fire_crackle": "crackling_fire",
        "fireworks": "fireworks",
        "fireworks_pop": "fireworks",
        "frog": "frog",
        "helicopter": "helicopter",
        "jet_flyby": "airplane",
        "lamb": "sheep",
        "laugh_evil": "laughing",
        "node_dug_glass": "glass_breaking",
        "node_step_grass": "footsteps",
        "node_step_gravel": "footsteps",
        "node_step_hard": "footsteps",
        "node_step_snow": "footsteps",
        "node_step_wood": "footsteps",
        "pig_snort": "pig",
        "pig_squeal": "pig",
        "puppy_bark": "dog",
        "rain_heavy": "rain",
        "rain_light": "rain",
        "rain_medium": "rain",
        "rooster": "rooster",
        "thunder": "thunderstorm",
        "vehicle_horn": "car_horn",
        "vehicle_motor_idle": "engine",
        "watch_tick": "clock_tick",
        "wind": "wind",
    }
)
"""Class of ESC-50 to which a named effect belongs; effects that are not here belong to none, or to no single one."""


class Labels(NamedTuple):
    """Labels of one file.

    Attributes
    ----------
    kind : {"music", "speech", "sound", "singing"}
        Kind of sound, as in `Recording`.
    category : str
        Class of the sound, as in `Recording`.
    group : str
        Group of files of one origin, such as an animal's take, that must be in the same fold.
    """

    kind: Kind
    category: str
    group: str


def instrument(row: Mapping[str, str]) -> Labels:
    """Return the labels of a clip of a single instrument, from its row of ``instruments/labels.csv``."""
    return Labels("music", row["instrument"].lower(), row["file"])


def ambience(row: Mapping[str, str]) -> Labels:
    """Return the labels of a long ambience, such as a street or rain, from its row of ``ambience/labels.csv``.

    Its category is its class of ESC-50, if it has one, and otherwise its own name; that of sound which may be music or
    not is `UNSURE`. Files of the same name are one group.
    """
    kind: Kind = "music" if row["music"] == "music" else "sound"
    own = UNSURE if row["music"] == "unsure" else row["esc50"] or row["sound"]
    return Labels(kind, own, row["sound"])


def animal(row: Mapping[str, str]) -> Labels:
    """Return the labels of an animal's call, from its row of ``animals/labels.csv``.

    Its category is its class of ESC-50, if it has one, and otherwise the animal's name.
    """
    return Labels("sound", row["esc50"] or row["animal"], _take(row["file"]))


def effect(row: Mapping[str, str]) -> Labels:
    """Return the labels of a named effect, from its row of ``labelled_effects/labels.csv``.

    Its category is its class of ESC-50 in `EFFECTS_ESC50`, if it has one, and otherwise its own name without a number;
    for effects in `EFFECTS_UNSURE`, it is `UNSURE`.
    """
    name = re.sub(r"[_\d]*$", "", row["sound"])
    if name in EFFECTS_MUSIC:
        return Labels("music", name, name)
    return Labels("sound", UNSURE if name in EFFECTS_UNSURE else EFFECTS_ESC50.get(name, name), name)


def baby(row: Mapping[str, str]) -> Labels:
    """Return the labels of a clip of a crying baby, from its row of ``baby_cry/labels.csv``."""
    return Labels("sound", row["esc50"], _take(row["file"]))


def singer(row: Mapping[str, str]) -> Labels:
    """Return the labels of a song or a sentence by one voice, from its row of ``pjs_singing/labels.csv``.

    Its category is the singer. All takes of a song, and the reading of its words, are one group: what stands before the
    first ``_`` of the file's name, as in ``pjs001_song.ogg``. There is a single singer, who is in every fold, so that a
    model that learns singing from him has some to choose its threshold on.
    """
    song = Path(row["file"]).stem.partition("_")[0]
    return Labels("singing" if row["kind"] == "singing" else "speech", row["singer"], song)


def recordings(
    root: Path, name: str, folder: str, read_labels: Callable[[Mapping[str, str]], Labels]
) -> list[Recording]:
    """Return the recordings of a folder of single sounds with ``labels.csv``.

    Parameters
    ----------
    root : Path
        Folder of the data sets.
    name : str
        Name of the data set.
    folder : str
        Name of its folder below `root`.
    read_labels : callable
        ``read_labels(row)`` returns the labels of a row of the table.

    Raises
    ------
    ConfigError
        If the table is not there, or lacks a column.
    """
    table = root / folder / "labels.csv"
    if not table.is_file():
        raise ConfigError(f"{table} is not there; point STREAMER_DATA at the folder that holds {folder}/")
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    try:
        labelled = [(row["file"], read_labels(row)) for row in rows]
    except KeyError as absent:
        raise ConfigError(f"{table} has no column {absent}; expected the table of {name}") from None
    folds = folds_by_order(labels.group for _, labels in labelled)
    return [
        Recording(
            name, Path(file).stem, (root / folder / file,), labels.kind, labels.category, folds[labels.group]
        )
        for file, labels in labelled
    ]


def _take(file: str) -> str:
    """Return a name for the run of `TAKE` neighbouring numbers to which a file belongs, such as ``cat_3``."""
    found = re.fullmatch(r"(.*?)_?(\d+)", Path(file).stem)
    return f"{found[1]}_{int(found[2]) // TAKE:04}" if found else file


def effects(root: Path) -> list[Recording]:
    """Return the named effects but for `EFFECTS_IN_ESC50`; see `recordings`."""
    found = recordings(root, "effects", "labelled_effects", effect)
    return [recording for recording in found if recording.name not in EFFECTS_IN_ESC50]


instruments = partial(recordings, name="instruments", folder="instruments", read_labels=instrument)
ambiences = partial(recordings, name="ambience", folder="ambience", read_labels=ambience)
animals = partial(recordings, name="animals", folder="animals", read_labels=animal)
babies = partial(recordings, name="babies", folder="baby_cry", read_labels=baby)
pjs = partial(recordings, name="pjs", folder="pjs_singing", read_labels=singer)
