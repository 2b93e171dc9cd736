"""Free music, effects and speech from Debian's packages, as `python -m train fetch debian` leaves them."""

from __future__ import annotations

from pathlib import Path

from train.data.debian.fetch import default_folder
from train.data.debian.labels import read_labels
from train.data.recordings import Recording

LICENCE = "GPL, CC BY-SA, CC BY, CC0: the copyright file of each package says which"


def recordings(root: Path) -> list[Recording]:
    """Return every fetched piece of Debian's packages; all pieces of a package are in one fold.

    Parameters
    ----------
    root : Path
        Folder of the data sets. If it has no subfolder ``debian``, the folder in the user's cache is read.

    Raises
    ------
    ConfigError
        If no packages were fetched.
    """
    folder = root / "debian"
    folder = folder if folder.is_dir() else default_folder()
    return [
        Recording("debian", row.file, (folder / row.file,), row.kind, row.category, row.fold)
        for row in read_labels(folder)
    ]
