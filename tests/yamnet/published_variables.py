"""Make variables with the names of the published code, from weights whose batch norms are folded."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.yamnet.weights import SHAPES

EPSILON = 1e-4


def published_variables(arrays: dict[str, Array], seed: int = 0) -> dict[str, Array]:
    """Return variables of the published code whose folded batch norms are `arrays`, without biases and gamma."""
    rng = np.random.default_rng(seed)
    variables = {}
    for name in SHAPES:
        layer, _, part = name.rpartition("/")
        if layer == "logits" or part != "kernel":
            continue
        number, kind = layer.removeprefix("layer").split("/")
        prefix = f"layer{int(number)}/" + (kind if kind == "conv" else f"{kind}_conv")
        channels = SHAPES[name][0]
        mean, variance = rng.normal(size=channels), rng.uniform(0.01, 4.0, channels)
        scale = 1.0 / np.sqrt(variance + EPSILON)
        kernel = (arrays[name] / scale.reshape(-1, 1, 1, 1)).transpose(
            (2, 3, 0, 1) if kind == "depthwise" else (2, 3, 1, 0)
        )
        variables[f"{prefix}/{'depthwise_' if kind == 'depthwise' else ''}kernel:0"] = kernel
        variables[f"{prefix}/bn/moving_mean:0"] = mean
        variables[f"{prefix}/bn/moving_variance:0"] = variance
        variables[f"{prefix}/bn/beta:0"] = arrays[f"{layer}/bias"] + mean * scale
    variables["dense/kernel:0"], variables["dense/bias:0"] = arrays["logits/kernel"].T, arrays["logits/bias"]
    return variables
