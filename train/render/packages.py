"""Table of the Debian packages with soundfonts and MIDI files that the trainer renders music from."""

from __future__ import annotations

from dataclasses import dataclass

KITS = (0, 8, 16, 24, 25, 32, 40, 48)
"""Drum kits of Roland's GS: standard, room, power, electronic, TR-808, jazz, brush, orchestra."""


@dataclass(frozen=True)
class Soundfont:
    """A Debian package with sampled instruments of General MIDI.

    Attributes
    ----------
    name : str
        Name of the package.
    fold : int
        Fold, 1 to 5. Soundfonts that share samples have the same fold.
    megabytes : int
        Size of the download.
    licence : str
        Licence of the samples, by the package's ``copyright`` file or, in minuet-data, by the soundfont itself.
    programmes : tuple of int
        Programmes that it has, counted from 0.
    kits : tuple of int
        Drum kits that it has.
    small : bool
        Whether it belongs to the small selection.
    """

    name: str
    fold: int
    megabytes: int
    licence: str
    programmes: tuple[int, ...] = tuple(range(128))
    kits: tuple[int, ...] = KITS
    small: bool = False


@dataclass(frozen=True)
class ScorePackage:
    """A Debian package with MIDI files.

    Attributes
    ----------
    name : str
        Name of the package.
    fold : int
        Fold, 1 to 5, of all its scores; 0 gives each score a fold of its own, by its name.
    megabytes : int
        Size of the download.
    licence : str
        Licence of the scores.
    small : bool
        Whether it belongs to the small selection.
    """

    name: str
    fold: int
    megabytes: int
    licence: str
    small: bool = False


# fmt: off
FREEPATS = (
    0, 1, 2, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 21, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33, 34, 35, 36, 37,
    38, 40, 42, 44, 45, 46, 47, 48, 53, 56, 57, 58, 59, 60, 61, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75,
    76, 79, 80, 84, 88, 94, 95, 98, 101, 102, 104, 114, 115, 120, 122, 125,
)
# fmt: on
SOUNDFONTS = (
    Soundfont("fluid-soundfont-gm", 1, 120, "MIT"),
    Soundfont("musescore-general-soundfont", 1, 76, "MIT, CC0, public domain"),  # largely Fluid's samples
    Soundfont("timgm6mb-soundfont", 2, 6, "GPL-2", small=True),
    Soundfont("opl3-soundfont", 2, 100, "CC BY-SA 4.0", kits=(0,)),
    Soundfont("minuet-data", 3, 27, "GeneralUser GS 2.0"),
    Soundfont("csound-soundfont", 4, 4, "public domain", small=True),
    Soundfont("freepats", 5, 25, "GPL-2+ with an exception for compositions", FREEPATS, (0,)),
)
SCORES = (
    ScorePackage("openttd-openmsx", 0, 1, "GPL-2", small=True),
    # Fold 3 has its recordings, planetblupi-music-ogg.
    ScorePackage("planetblupi-music-midi", 3, 1, "GPL-3+"),
)
