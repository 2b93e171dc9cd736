"""Read YAMNet as TensorFlow Hub publishes it: its weights, and its scores and embeddings to compare with.

This is the only file that uses TensorFlow (the extra ``[tfhub]``), and it is imported only when needed.
"""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.batch_norms import fold_batch_norms
from streamer.yamnet.weights import Weights, read_class_map

HANDLE = "https://tfhub.dev/google/yamnet/1"
"""Handle of Google's published YAMNet."""


class HubYAMNet:
    """A YAMNet that TensorFlow runs.

    Parameters
    ----------
    handle : str
        Argument of ``tensorflow_hub.load``: a handle of TensorFlow Hub, or the folder of a SavedModel.

    Raises
    ------
    ModelError
        If TensorFlow Hub is not installed, or the handle cannot be loaded.
    """

    def __init__(self, handle: str) -> None:
        self.name = handle
        self._model = _load(handle)
        if not hasattr(self._model, "class_map_path"):
            raise ModelError(f"{handle} has no class map; expected YAMNet as TensorFlow Hub has it")

    def weights(self) -> Weights:
        """Return the weights of the network, with batch norms folded in.

        Raises
        ------
        ModelError
            If the weights do not have the names and shapes of YAMNet's.
        """
        variables: dict[str, Array] = {}
        for function in self._model.__call__.concrete_functions:
            variables |= {variable.name: variable.numpy() for variable in function.variables}
        names, ids = read_class_map(Path(os.fsdecode(self._model.class_map_path().numpy())))
        return Weights(fold_batch_norms(variables), math.inf, names, self.name, ids)

    def __call__(self, windows: Array) -> tuple[Array, Array]:
        """Return scores and embeddings of windows of sound.

        Parameters
        ----------
        windows : float32 array, shape (count, WINDOW_SAMPLES)

        Returns
        -------
        scores : float32 array, shape (count, 521)
        embeddings : float32 array, shape (count, 1024)
        """
        given = [self._model(window) for window in windows]
        scores, embeddings = ([outputs[n].numpy() for outputs in given] for n in (0, 1))
        return np.concatenate(scores), np.concatenate(embeddings)


def _load(handle: str) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads this once, when it is loaded
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses pkg_resources, which warns that it is deprecated
            import tensorflow_hub
    except ImportError as error:
        raise ModelError(
            f"reading {handle} needs TensorFlow Hub, which cannot be imported ({error}); type: "
            "pip install 'streamer[tfhub]', or unpack YAMNet's SavedModel and give its folder, which needs neither"
        ) from error
    try:
        return tensorflow_hub.load(handle)
    except Exception as error:  # it may be an error of TensorFlow, urllib or the system
        reason = " ".join(str(error).split())
        if "://" in handle:
            raise ModelError(
                f"{handle} cannot be fetched ({reason}); expected a way to the internet: try again when there is one, "
                "or give a SavedModel folder that was fetched elsewhere"
            ) from error
        raise ModelError(f"{handle} cannot be loaded ({reason}); expected a SavedModel folder") from error
