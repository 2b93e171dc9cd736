"""A released separation made on the spot: a mask of one factor for each bin, and a voice where sound is loud."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from streamer.dsp.stft import StftConfig
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import StateSpec, Thresholds

DEFAULT = StftConfig()
LOUD = 0.5
"""Mean magnitude of real and imaginary parts above which a frame speaks for a voice."""


def write_toy_separation(
    folder: Path, factors: complex | Sequence[complex] = 1.0, stft: StftConfig = DEFAULT
) -> Path:
    """Write ``model.onnx`` and ``manifest.json``.

    Parameters
    ----------
    folder : Path
    factors : complex or sequence of complex
        The mask of each bin.
    stft : StftConfig
    """
    mask = np.broadcast_to(np.asarray(factors, np.complex64), stft.bins)
    content = _model(np.concatenate([mask.real, mask.imag]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    manifest = Manifest(
        name=folder.name,
        task="separation",
        labels=("voice",),
        front_end=stft,
        hop_frames=1,
        latency_frames=1,
        warm_up_frames=2,
        states=(StateSpec((1, 1)),),
        operating_points={"balanced": (Thresholds(on=0.6, off=0.4),)},
        sha256=hashlib.sha256(content).hexdigest(),
        commit="0" * 40,
    )
    write_manifest(folder, manifest)
    return folder


def without_offset(sound: np.ndarray, stft: StftConfig = DEFAULT) -> np.ndarray:
    """What a mask of ones gives back of a sound (samples, channels): all but the constant in each frame."""
    hop, late = stft.hop_samples, stft.latency_samples
    analysis, synthesis = (window.astype(np.float64) for window in stft.windows)
    ends = range(hop, len(sound) + late, hop)
    padded = np.pad(sound.astype(np.float64), ((stft.window_samples, late), (0, 0)))
    constant = np.zeros_like(padded)
    for end in ends:
        frame = padded[end : end + stft.window_samples]  # up to sample `end` of the sound
        offset = analysis @ frame / analysis.sum()
        last = slice(end + stft.window_samples - late, end + stft.window_samples)
        constant[last] += np.outer(analysis[-late:] * synthesis, offset)
    return sound - constant[stft.window_samples : stft.window_samples + len(sound)]


def _model(mask: np.ndarray) -> bytes:
    """The mask, and the sigmoid of how far all frames so far were above `LOUD`, added up: the sum is the state."""
    constants = {
        "mask": mask.astype(np.float32)[None, None],
        "loud": np.float32(LOUD),
        "zero": np.float32(0),
        "last_axis": np.array([2]),
        "time_axis": np.array([1]),
        "minus_one": np.array([-1]),
        "end": np.array([2**31]),
        "one": np.array(1),
    }
    nodes = [
        helper.make_node("Mul", ["x", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "mask"], ["masks"]),
        helper.make_node("Abs", ["x"], ["strength"]),
        helper.make_node("ReduceMean", ["strength", "last_axis"], ["level"], keepdims=1),
        helper.make_node("Sub", ["level", "loud"], ["above"]),
        helper.make_node("CumSum", ["above", "one"], ["sums"]),
        helper.make_node("Add", ["sums", "state.0"], ["heard"]),
        helper.make_node("Slice", ["heard", "minus_one", "end", "time_axis"], ["next_state.0"]),
        helper.make_node("Sigmoid", ["heard"], ["voice"]),
        helper.make_node("Concat", ["masks", "voice"], ["y"], axis=2),
    ]

    def value(name: str, time: int | str, size: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", time, size])

    graph = helper.make_graph(
        nodes,
        "toy",
        [value("x", "frames", len(mask)), value("state.0", 1, 1)],
        [value("y", "frames", len(mask) + 1), value("next_state.0", 1, 1)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
