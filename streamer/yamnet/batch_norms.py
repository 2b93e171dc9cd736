"""Fold the batch norms of YAMNet's published variables into kernels and biases."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from streamer.arrays import Array

BATCH_NORM_EPSILON = 1e-4
"""Epsilon of the published network (tensorflow/models, research/audioset/yamnet/params.py)."""

_VARIABLE = re.compile(
    r"(?:layer(?P<layer>\d+)/(?P<kind>conv|depthwise|pointwise)(?:_conv)?/(?:bn/)?|(?:logits|dense)/)"
    r"(?P<part>kernel|depthwise_kernel|bias|gamma|beta|moving_mean|moving_variance)(?::0)?$"
)


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
