"""A wheel like that of musicnn, with a small network of made-up weights."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from tests.yamnet.toy_checkpoint import write_checkpoint
from train.teachers.musicnn import TABLE, TAGS

TIMBRE, RHYTHM, MIDDLE, HIDDEN = 3, 2, 4, 5
"""Channels of the convolutions over the bands, of those over time and of the layers after them; size of the last."""
FRONT = 2 * TIMBRE + 3 * RHYTHM
KERNELS = (
    (7, 38, 1, TIMBRE),
    (7, 67, 1, TIMBRE),
    (128, 1, 1, RHYTHM),
    (64, 1, 1, RHYTHM),
    (32, 1, 1, RHYTHM),
    (7, FRONT, 1, MIDDLE),
    (7, MIDDLE, 1, MIDDLE),
    (7, MIDDLE, 1, MIDDLE),
)
POOLED = 2 * (FRONT + 3 * MIDDLE)


def toy_variables(seed: int = 0) -> dict[str, Array]:
    """Return weights by TensorFlow's names; kernels are (frames, bands, in, out)."""
    rng = np.random.default_rng(seed)
    made: dict[str, Array] = {"dense/kernel_Adam": np.zeros(3, np.float32)}

    def weights(layer: str, shape: tuple[int, ...]) -> None:
        made[f"{layer}/kernel"] = rng.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape).astype(np.float32)
        made[f"{layer}/bias"] = rng.normal(0, 0.3, shape[-1]).astype(np.float32)

    for n, shape in enumerate(KERNELS):
        weights(f"conv2d_{n}" if n else "conv2d", shape)
    weights("dense", (POOLED, HIDDEN))
    weights("dense_1", (HIDDEN, len(TAGS)))
    for n, channels in enumerate([1, *(shape[-1] for shape in KERNELS), POOLED, HIDDEN]):
        layer = f"batch_normalization_{n}" if n else "batch_normalization"
        for part, low, high in (("gamma", 0.5, 2), ("beta", -1, 1), ("moving_mean", -1, 1)):
            made[f"{layer}/{part}"] = rng.uniform(low, high, channels).astype(np.float32)
        made[f"{layer}/moving_variance"] = rng.uniform(0.5, 2, channels).astype(np.float32)
    return made


def write_wheel(folder: Path, variables: Mapping[str, Array], version: str = "0.1.0") -> Path:
    """Write the wheel with the checkpoint of the tagger into `folder`, and return its path."""
    prefix = folder / "unpacked" / "named"
    write_checkpoint(prefix, variables, with_names=False)
    wheel = folder / f"musicnn-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr(f"musicnn-{version}.dist-info/METADATA", "Name: musicnn\n")
        for path in prefix.parent.iterdir():
            content.write(path, Path(TABLE).with_name(path.name.removeprefix("named")).as_posix())
    return wheel
