"""Read the weights of a Keras model from an HDF5 file, without Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError, ModelError


def read_layers(path: Path) -> list[dict[str, Array]]:
    """Return the weights of each layer that has some, in the order of the model.

    Parameters
    ----------
    path : Path
        File that ``save_weights`` or ``save`` of Keras 2 wrote.

    Returns
    -------
    list of dict
        Weights of a layer by the last part of their name, such as ``kernel``.

    Raises
    ------
    ConfigError
        If h5py is not installed.
    ModelError
        If the file cannot be read, or has another layout.
    """
    try:
        import h5py
    except ImportError as error:
        raise ConfigError(
            f"h5py cannot be imported ({error}); expected the extra lab: pip install 'streamer[lab]'"
        ) from error
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            groups = [root[_text(name)] for name in root.attrs["layer_names"]]
            layers = [
                {_last(_text(name)): np.asarray(group[_text(name)]) for name in group.attrs["weight_names"]}
                for group in groups
            ]
    except (OSError, KeyError) as error:
        raise ModelError(
            f"{path} cannot be read ({error}); expected a file with the weights of a Keras model: fetch it again"
        ) from error
    return [layer for layer in layers if layer]


def _text(name: Any) -> str:
    """Return a name, which HDF5 has as bytes or as text."""
    return name.decode() if isinstance(name, bytes) else str(name)


def _last(name: str) -> str:
    """Return the last part of a name such as ``conv2d_1/kernel:0``."""
    return name.rpartition("/")[2].partition(":")[0]
