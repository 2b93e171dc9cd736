"""Reader of YAMNet's weights from an npz file: float32 arrays, or integers with a scale per output channel."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.weights import Weights, read_class_map
from train.yamnet.class_map import nearby_class_map


def read_npz(path: Path) -> Weights:
    """Return YAMNet's weights from an npz file: each array is ``NAME``, or ``NAME/q`` times ``NAME/scale``.

    ``network/relu_max`` is the upper limit of activations; without it there is none. ``frontend/...`` is not read,
    because the front end has its own constants. The class map is searched beside the file and in the folder above.

    Raises
    ------
    ModelError
        If the file is of another kind.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            stored = {name: content[name] for name in content.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, AttributeError) as error:
        raise ModelError(
            f"{path} is not an npz file ({error}); expected YAMNet's weights, layer by layer"
        ) from error
    relu_max = float(stored.pop("network/relu_max", np.float32(math.inf)))
    names = {name.removesuffix("/q").removesuffix("/scale") for name in stored}
    arrays = {name: _array(stored, name, path) for name in names if not name.startswith("frontend/")}
    class_names, class_ids = read_class_map(nearby_class_map(path))
    return Weights(arrays, relu_max, class_names, str(path), class_ids)


def _array(stored: dict[str, Array], name: str, path: Path) -> Array:
    """Return one array as float32, scaled along its first axis."""
    if name in stored:
        return stored[name].astype(np.float32)
    try:
        whole, scale = stored[f"{name}/q"], stored[f"{name}/scale"]
        return (whole * scale.reshape(-1, *[1] * (whole.ndim - 1))).astype(np.float32)
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"{name} of {path} cannot be put together ({error}); expected {name}/q, whole numbers, and {name}/scale, "
            "one number or one for each output channel"
        ) from error
