"""Read YAMNet's weights from the folder of a SavedModel, without TensorFlow."""

from __future__ import annotations

import math
from pathlib import Path

from streamer.errors import ModelError
from streamer.yamnet.batch_norms import fold_batch_norms
from streamer.yamnet.checkpoint import read_variables
from streamer.yamnet.weights import Weights, read_class_map

CLASS_MAP = "yamnet_class_map.csv"


def read_saved_model(folder: Path) -> Weights:
    """Return the weights in a SavedModel of YAMNet as TensorFlow Hub has it, with batch norms folded in.

    Parameters
    ----------
    folder : Path
        Folder with ``saved_model.pb``, ``variables`` and ``assets``.

    Raises
    ------
    ModelError
        If the folder is no SavedModel, or its model is not YAMNet.
    """
    if not (folder / "saved_model.pb").is_file():
        kind = (
            "is a file" if folder.is_file() else "has no saved_model.pb" if folder.is_dir() else "is absent"
        )
        raise ModelError(
            f"{folder} {kind}; expected the folder of YAMNet's SavedModel, with saved_model.pb, variables and assets: "
            "unpack what TensorFlow Hub or Kaggle has (google/yamnet)"
        )
    class_map = folder / "assets" / CLASS_MAP
    if not class_map.is_file():
        raise ModelError(
            f"{folder} has no assets/{CLASS_MAP}; expected YAMNet as TensorFlow Hub has it: is this another model?"
        )
    names, ids = read_class_map(class_map)
    variables = read_variables(folder / "variables" / "variables")
    try:
        arrays = fold_batch_norms(variables)
    except ValueError as error:  # arrays of the wrong number of axes, or that do not go together
        raise ModelError(f"variables of {folder} do not fit together ({error}): is this YAMNet?") from error
    return Weights(arrays, math.inf, names, str(folder), ids)
