"""Read YAMNet as TensorFlow Hub publishes it: its weights, and its scores and embeddings to compare with.

This is the only file that uses TensorFlow (the extra ``[tfhub]``), and it is imported only when needed.
"""

from __future__ import annotations

import math
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.weights import Weights, read_class_map

HANDLE = "https://tfhub.dev/google/yamnet/1"
"""Handle of Google's published YAMNet."""
BATCH_NORM_EPSILON = 1e-4
"""Epsilon of the published network (tensorflow/models, research/audioset/yamnet/params.py)."""

_VARIABLE = re.compile(
    r"(?:layer(?P<layer>\d+)/(?P<kind>conv|depthwise|pointwise)(?:_conv)?/(?:bn/)?|(?:logits|dense)/)"
    r"(?P<part>kernel|depthwise_kernel|bias|gamma|beta|moving_mean|moving_variance)(?::0)?$"
)


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
        class_map = Path(os.fsdecode(self._model.class_map_path().numpy()))
        return Weights(fold_batch_norms(variables), math.inf, read_class_map(class_map), self.name)

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


def fold_batch_norms(variables: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of `Weights`, from variables with the names of the published code.

    A convolution may have a bias, or a batch norm with or without ``gamma``. A batch norm is folded: the kernel
    becomes ``kernel * gamma / sqrt(variance + epsilon)``, and the rest becomes the bias.

    Parameters
    ----------
    variables : mapping of str to array
        Variables such as ``layer2/depthwise_conv/bn/beta:0``, ``layer02/depthwise/kernel:0``,
        ``logits/kernel:0``; kernels in TensorFlow's order (height, width, in, out). Others are ignored.
    """
    parts: dict[str, dict[str, Array]] = defaultdict(dict)
    for name, value in variables.items():
        match = _VARIABLE.search(name)
        if match:
            layer, kind, part = match["layer"], match["kind"], match["part"].removeprefix("depthwise_")
            parts[f"layer{int(layer):02d}/{kind}" if layer else "logits"][part] = value.astype(np.float64)
    arrays = {}
    for name, part in parts.items():
        if "kernel" not in part:
            continue
        kernel = (
            part["kernel"].T if name == "logits" else _reordered(part["kernel"], name.endswith("depthwise"))
        )
        scale = np.ones(len(kernel))
        bias = part.get("bias", np.zeros(len(kernel)))
        if "moving_variance" in part:
            scale = part.get("gamma", scale) / np.sqrt(part["moving_variance"] + BATCH_NORM_EPSILON)
            bias = (bias - part["moving_mean"]) * scale + part.get("beta", 0.0)
        arrays[f"{name}/kernel"] = (kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))).astype(np.float32)
        arrays[f"{name}/bias"] = bias.astype(np.float32)
    return arrays


def _reordered(kernel: Array, is_depthwise: bool) -> Array:
    """Return a kernel as (out, in per group, height, width); depthwise ones end with (channels, 1) in TensorFlow."""
    return kernel.transpose((2, 3, 0, 1) if is_depthwise else (3, 2, 0, 1))


def _load(handle: str) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads this once, when it is loaded
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses pkg_resources, which warns that it is deprecated
            import tensorflow_hub
    except ImportError as error:
        raise ModelError(
            f"reading {handle} needs TensorFlow Hub, which cannot be imported ({error}); type: "
            "pip install 'streamer[tfhub]'"
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
