"""Music rendered from scores: solo instruments, drums and ensembles, as `python -m train render` leaves it."""

from __future__ import annotations

from pathlib import Path

from train.data.debian.fetch import fetched_folder
from train.data.recordings import Recording
from train.data.rendered import INDEX, read_index

LICENCE = (
    "soundfonts: MIT, CC0, GPL, CC BY-SA, GeneralUser GS, public domain; scores: GPL, CC BY, BSD, Artistic: the index "
    "of the pieces says which"
)


def recordings(root: Path) -> list[Recording]:
    """Return every rendered piece, all of them music; soundfonts and scores are each in one fold.

    The category is the family of the instrument for solos, otherwise ``drums``, ``ensemble`` or ``full``. Solos have
    the tag ``solo``.

    Parameters
    ----------
    root : Path
        Folder of the data sets. If it has no subfolder ``rendered``, the folder in the user's cache is read.

    Raises
    ------
    ConfigError
        If nothing was rendered.
    """
    folder = fetched_folder(root, "rendered")
    return [
        Recording(
            "rendered",
            row.file,
            (folder / row.file,),
            "music",
            row.category,
            row.fold,
            tags=("solo",) if row.arrangement == "solo" else (),
        )
        for row in read_index(folder / INDEX)
    ]
