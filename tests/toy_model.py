"""A released-model folder made on the spot: a gate that opens for loud sound, with state."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from streamer.frontend import FrontEndConfig
from streamer.manifest import Manifest, StateSpec, Thresholds

HOP_FRAMES = 4
LOUD = -3.0
"""Mean log-mel over which the toy calls a sound loud; silence has ln(0.001) = -6.9."""


def write_toy_model(folder: Path, front_end: FrontEndConfig = FrontEndConfig(), label: str = "loud") -> Path:
    """Write ``model.onnx`` and ``manifest.json``.

    Each score looks at the mean log-mel of its four frames and of the four before, which are the state.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = _graph(front_end.mel_bands).SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    manifest = Manifest(
        name=folder.name,
        task="gate",
        labels=(label,),
        front_end=front_end,
        hop_frames=HOP_FRAMES,
        latency_frames=HOP_FRAMES,
        warm_up_frames=HOP_FRAMES,
        states=(StateSpec((1, 1)),),
        thresholds=Thresholds(on=0.6, off=0.4),
        sha256=hashlib.sha256(content).hexdigest(),
        commit="0" * 40,
    )
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    return folder


def _graph(mel_bands: int) -> onnx.ModelProto:
    def constant(name: str, value: object, dtype: type) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(value, dtype), name)

    nodes = [
        helper.make_node("Reshape", ["x", "step_shape"], ["steps"]),
        helper.make_node("ReduceMean", ["steps", "last_axis"], ["level"], keepdims=1),
        helper.make_node("Concat", ["state.0", "level"], ["history"], axis=1),
        helper.make_node("Slice", ["history", "minus_one", "end", "time_axis"], ["next_state.0"]),
        helper.make_node("Slice", ["history", "zero", "minus_one", "time_axis"], ["before"]),
        helper.make_node("Mean", ["level", "before"], ["mean"]),
        helper.make_node("Sub", ["mean", "loud"], ["above"]),
        helper.make_node("Sigmoid", ["above"], ["y"]),
    ]
    constants = [
        constant("step_shape", [0, -1, HOP_FRAMES * mel_bands], np.int64),
        constant("last_axis", [2], np.int64),
        constant("time_axis", [1], np.int64),
        constant("zero", [0], np.int64),
        constant("minus_one", [-1], np.int64),
        constant("end", [2**31], np.int64),
        constant("loud", LOUD, np.float32),
    ]
    real = TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("x", real, ["batch", "frames", mel_bands]),
        helper.make_tensor_value_info("state.0", real, ["batch", 1, 1]),
    ]
    outputs = [
        helper.make_tensor_value_info("y", real, ["batch", "steps", 1]),
        helper.make_tensor_value_info("next_state.0", real, ["batch", 1, 1]),
    ]
    graph = helper.make_graph(nodes, "toy", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model
