"""Released-model folders made on the spot: a gate that opens for loud sound, an ear, and heads on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from streamer.dsp.log_mel import LogMelConfig
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import StateSpec, Thresholds
from streamer.inference.model_folders import read_manifest

HOP_FRAMES = 4
LOUD = -3.0
"""Mean log-mel over which the toy calls a sound loud; silence has ln(0.001) = -6.9."""
EAR_HOP_FRAMES = 8
BANDS = ("low", "middle", "high", "top")
"""What an embedding of the toy ear holds: the mean log-mel in each quarter of the bands."""


def write_toy_model(folder: Path, front_end: LogMelConfig = LogMelConfig(), label: str = "loud") -> Path:
    """Write ``model.onnx`` and ``manifest.json``.

    Each score looks at the mean log-mel of its four frames and of the four before, which are the state.
    """
    manifest = _described(folder, "gate", front_end, HOP_FRAMES, labels=(label,))
    return _write(folder, _gate(front_end.mel_bands), replace(manifest, states=(StateSpec((1, 1)),)))


def write_toy_ear(folder: Path, front_end: LogMelConfig = LogMelConfig()) -> Path:
    """Write an ear whose embeddings are exact in binary: sums of them do not depend on their order.

    Each is the mean of the levels in its eight frames and in the eight before, which are the state.
    """
    size = len(BANDS)
    manifest = _described(folder, "ear", front_end, EAR_HOP_FRAMES, embedding_size=size)
    manifest = replace(manifest, operating_points={}, states=(StateSpec((1, size)),))
    return _write(folder, _ear(front_end.mel_bands), manifest)


def write_toy_head(
    folder: Path, ear: Path, task: str, exclusive: bool = False, warm_up_frames: int = 0
) -> Path:
    """Write a head on a toy ear.

    Parameters
    ----------
    exclusive : bool
        Whether it says which band was the loudest since it began to hear, by a softmax over the sums, which
        are the state; else which bands are loud now, without a state.
    """
    heard = read_manifest(ear)
    manifest = replace(
        _described(folder, task, heard.front_end, 1, labels=BANDS),
        ear=heard.as_ear(),
        exclusive=exclusive,
        warm_up_frames=warm_up_frames,
        states=(StateSpec((1, len(BANDS))),) if exclusive else (),
    )
    return _write(folder, _loudest() if exclusive else _loud_bands(), manifest)


def _described(
    folder: Path,
    task: str,
    front_end: LogMelConfig,
    hop_frames: int,
    labels: tuple[str, ...] = (),
    embedding_size: int | None = None,
) -> Manifest:
    return Manifest(
        name=folder.name,
        task=task,
        labels=labels,
        embedding_size=embedding_size,
        front_end=front_end,
        hop_frames=hop_frames,
        latency_frames=hop_frames,
        warm_up_frames=hop_frames,
        states=(),
        operating_points={"balanced": (Thresholds(on=0.6, off=0.4),)},
        sha256="",
        commit="0" * 40,
    )


def _write(folder: Path, graph: onnx.GraphProto, manifest: Manifest) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    manifest = replace(manifest, sha256=hashlib.sha256(content).hexdigest())
    write_manifest(folder, manifest)
    return folder


def _constant(name: str, value: object, dtype: type) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, dtype), name)


_TIME = [
    _constant("last_axis", [2], np.int64),
    _constant("time_axis", [1], np.int64),
    _constant("zero", [0], np.int64),
    _constant("minus_one", [-1], np.int64),
    _constant("end", [2**31], np.int64),
]


def _graph(
    nodes: Sequence[NodeProto],
    constants: Sequence[onnx.TensorProto],
    x_size: int,
    y_size: int,
    states: Sequence[int],
) -> onnx.GraphProto:
    """A graph over frames of `x_size`, with one step of each of `states` sizes as its state."""

    def value(name: str, time: Any, size: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", time, size])

    inputs = [value("x", "frames", x_size), *(value(f"state.{n}", 1, size) for n, size in enumerate(states))]
    outputs = [
        value("y", "steps", y_size),
        *(value(f"next_state.{n}", 1, size) for n, size in enumerate(states)),
    ]
    return helper.make_graph(nodes, "toy", inputs, outputs, constants)


def _gate(mel_bands: int) -> onnx.GraphProto:
    nodes = [
        helper.make_node("Reshape", ["x", "step_shape"], ["steps"]),
        helper.make_node("ReduceMean", ["steps", "last_axis"], ["level"], keepdims=1),
        *_mean_with_the_one_before("level"),
        helper.make_node("Sub", ["mean", "loud"], ["above"]),
        helper.make_node("Sigmoid", ["above"], ["y"]),
    ]
    shape = _constant("step_shape", [0, -1, HOP_FRAMES * mel_bands], np.int64)
    return _graph(nodes, [shape, *_TIME, _constant("loud", LOUD, np.float32)], mel_bands, 1, [1])


def _ear(mel_bands: int) -> onnx.GraphProto:
    size = len(BANDS)
    nodes = [
        helper.make_node("Reshape", ["x", "step_shape"], ["steps"]),
        helper.make_node("ReduceMean", ["steps", "inner_axes"], ["level"], keepdims=0),
        helper.make_node("Mul", ["level", "sixteen"], ["sixteenths"]),
        helper.make_node("Round", ["sixteenths"], ["whole"]),
        helper.make_node("Div", ["whole", "sixteen"], ["coarse"]),
        *_mean_with_the_one_before("coarse"),
        helper.make_node("Identity", ["mean"], ["y"]),
    ]
    constants = [
        _constant("step_shape", [0, -1, EAR_HOP_FRAMES, size, mel_bands // size], np.int64),
        _constant("inner_axes", [2, 4], np.int64),
        _constant("sixteen", 16.0, np.float32),
        *_TIME,
    ]
    return _graph(nodes, constants, mel_bands, size, [size])


def _mean_with_the_one_before(value: str) -> list[NodeProto]:
    """The ``mean`` of each step and the one before it; the last step is the next state."""
    return [
        helper.make_node("Concat", ["state.0", value], ["history"], axis=1),
        helper.make_node("Slice", ["history", "minus_one", "end", "time_axis"], ["next_state.0"]),
        helper.make_node("Slice", ["history", "zero", "minus_one", "time_axis"], ["before"]),
        helper.make_node("Mean", [value, "before"], ["mean"]),
    ]


def _loudest() -> onnx.GraphProto:
    nodes = [
        helper.make_node("CumSum", ["x", "one"], ["sums"]),
        helper.make_node("Add", ["sums", "state.0"], ["heard"]),
        helper.make_node("Slice", ["heard", "minus_one", "end", "time_axis"], ["next_state.0"]),
        helper.make_node("Mul", ["heard", "share"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"], axis=-1),
    ]
    constants = [*_TIME, _constant("one", 1, np.int64), _constant("share", 0.5, np.float32)]
    return _graph(nodes, constants, len(BANDS), len(BANDS), [len(BANDS)])


def _loud_bands() -> onnx.GraphProto:
    nodes = [
        helper.make_node("Sub", ["x", "loud"], ["above"]),
        helper.make_node("Sigmoid", ["above"], ["y"]),
    ]
    return _graph(nodes, [_constant("loud", LOUD, np.float32)], len(BANDS), len(BANDS), [])
