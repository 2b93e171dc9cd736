"""Small made-up weights of VGGish and OpenL3, in the files that they are published in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.reference.vggish import VGGishConfig
from streamer.arrays import Array
from tests.yamnet.toy_checkpoint import message, number, table

VGGISH = VGGishConfig(channels=(2, 3, 4, 5), hidden=12, embedding=10)
LAYERS = {
    "features.0": "conv1",
    "features.3": "conv2",
    "features.6": "conv3/conv3_1",
    "features.8": "conv3/conv3_2",
    "features.11": "conv4/conv4_1",
    "features.13": "conv4/conv4_2",
    "embeddings.0": "fc1/fc1_1",
    "embeddings.2": "fc1/fc1_2",
    "embeddings.4": "fc2",
}
"""TensorFlow's names of VGGish's layers by torchvggish's."""


def slices(name: str, array: Array, values: bytes | None = None) -> bytes:
    """The message that holds a tensor in a checkpoint of TensorFlow's first format."""
    raw = array.astype("<f4").tobytes() if values is None else values
    return message(2, message(1, name.encode()) + message(2, b"") + message(3, message(5, raw)))


def write_slices(
    path: Path, tensors: Mapping[str, Array], *, cut: str = "", change: Mapping[str, bytes] = {}
) -> None:
    """Write a checkpoint of that format; the tensor `cut` counts as two slices, and `change` replaces values."""
    listed = b""
    for name, array in tensors.items():
        dimensions = b"".join(message(2, number(1, size)) for size in array.shape)
        kind = 1 if array.dtype == np.float32 else 9
        whole = message(4, b"") * (2 if name == cut else 1)
        listed += message(1, message(1, name.encode()) + message(2, dimensions) + number(3, kind) + whole)
    rows = [(b"", message(1, listed + message(2, number(1, 1))))]
    rows += [
        (b"\0" + name.encode() + b"\0\1", slices(name, tensors[name], change.get(name)))
        for name in sorted(tensors)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table(rows))


def vggish_tensors(config: VGGishConfig = VGGISH, seed: int = 0) -> dict[str, Array]:
    """Weights by TensorFlow's names and in its layouts, with a step that is no weight."""
    rng = np.random.default_rng(seed)
    a, b, c, d = config.channels
    shapes = {
        "conv1": (3, 3, 1, a),
        "conv2": (3, 3, a, b),
        "conv3/conv3_1": (3, 3, b, c),
        "conv3/conv3_2": (3, 3, c, c),
        "conv4/conv4_1": (3, 3, c, d),
        "conv4/conv4_2": (3, 3, d, d),
        "fc1/fc1_1": (6 * 4 * d, config.hidden),
        "fc1/fc1_2": (config.hidden, config.hidden),
        "fc2": (config.hidden, config.embedding),
    }
    made: dict[str, Array] = {"global_step": np.array(7, np.int64)}
    for layer, shape in shapes.items():
        deviation = np.sqrt(2 / np.prod(shape[:-1]))
        made[f"vggish/{layer}/weights"] = rng.normal(0, deviation, shape).astype(np.float32)
        made[f"vggish/{layer}/biases"] = rng.normal(0, 0.1, shape[-1]).astype(np.float32)
    return made


def write_vggish_state(path: Path, tensors: Mapping[str, Array]) -> None:
    """Write the same weights as torchvggish does."""
    state = {}
    for ours, theirs in LAYERS.items():
        kernel = tensors[f"vggish/{theirs}/weights"]
        turned = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        state[f"{ours}.weight"] = torch.from_numpy(turned.copy())
        state[f"{ours}.bias"] = torch.from_numpy(tensors[f"vggish/{theirs}/biases"])
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)


def openl3_layers(channels: Sequence[int], seed: int = 0) -> list[tuple[str, dict[str, Array]]]:
    """Names and weights of Keras's layers, with that of the spectrogram and layers without weights."""
    rng = np.random.default_rng(seed)
    made: list[tuple[str, dict[str, Array]]] = [
        ("input_1", {}),
        ("melspectrogram_1", {"real_kernels": np.zeros((4, 1, 1, 3), np.float32)}),
    ]
    before = 1
    for place, size in enumerate(channels, 1):
        made.append(
            (
                f"batch_normalization_{place}",
                {
                    "gamma": rng.uniform(0.5, 2, before),
                    "beta": rng.uniform(-1, 1, before),
                    "moving_mean": rng.uniform(-1, 1, before) - (40 if place == 1 else 0),
                    "moving_variance": rng.uniform(0.5, 2, before) * (900 if place == 1 else 1),
                },
            )
        )
        made.append((f"activation_{place}", {}))
        name = f"conv2d_{place}" if place < len(channels) else "audio_embedding_layer"
        kernel = rng.normal(0, np.sqrt(2 / (9 * before)), (3, 3, before, size))
        made.append((name, {"kernel": kernel, "bias": rng.normal(0, 0.1, size)}))
        before = size
    return [(name, {part: np.asarray(a, np.float32) for part, a in parts.items()}) for name, parts in made]


def write_keras(
    h5py: Any, path: Path, layers: Sequence[tuple[str, Mapping[str, Array]]], whole_model: bool = False
) -> None:
    """Write layers as Keras's ``save_weights`` does, or as ``save`` does, below ``model_weights``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole_model else file
        root.attrs["layer_names"] = [name.encode() for name, _ in layers]
        for name, parts in layers:
            group = root.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{part}:0".encode() for part in parts]
            for part, array in parts.items():
                group[f"{name}/{part}:0"] = array


def convolved(x: Array, kernel: Array, bias: Array) -> Array:
    """TensorFlow's convolution of 3 x 3 with padding SAME, of x with the shape (images, height, width, channels)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = x.shape[1:3]
    y = np.zeros((*x.shape[:3], kernel.shape[-1]))
    for row in range(3):
        for column in range(3):
            y += padded[:, row : row + height, column : column + width] @ kernel[row, column]
    return y + bias


def halved(x: Array) -> Array:
    """The maximum over 2 x 2 places; an odd one at the end is left out."""
    n, height, width, channels = x.shape
    whole = x[:, : height // 2 * 2, : width // 2 * 2]
    return whole.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
