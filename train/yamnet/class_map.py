"""Location of the names of YAMNet's classes, for weights that do not contain them."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import ModelError

CLASS_MAP = "yamnet_class_map.csv"


def nearby_class_map(path: Path) -> Path:
    """Return the path of YAMNet's class map, the table of its classes, beside a file or in the folder above.

    Raises
    ------
    ModelError
        If there is no class map.
    """
    folders = path.resolve().parents[:2]
    found = [folder / CLASS_MAP for folder in folders if (folder / CLASS_MAP).is_file()]
    if not found:
        raise ModelError(
            f"{path} has no {CLASS_MAP} beside it or in the folder above; put YAMNet's (tensorflow/models, "
            "research/audioset/yamnet) there: without it the output for Music is unknown"
        )
    return found[0]
