"""Test that a model in ONNX Runtime keeps the stage contract, and is refused if it differs from its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from streamer.arrays import Array
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import StateSpec
from streamer.inference.model_folders import read_manifest
from streamer.inference.onnx import OnnxModel
from tests.conftest import ROOT
from tests.contract import check_stage
from tests.toy_model import HOP_FRAMES, LOUD, write_toy_model

RELEASED = sorted(path.parent for path in (ROOT / "models" / "released").glob("*/manifest.json"))


def log_mel(frames: int, bands: int, batch: int = 2) -> Array:
    """Return noise with the mean and the spread of log-mel frames."""
    return np.random.default_rng(0).normal(-2.0, 1.5, (batch, frames, bands)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_model(tmp_path / "toy")


def seal(folder: Path, content: bytes) -> None:
    """Put another ``model.onnx`` into the folder, with its hash in the manifest."""
    manifest = replace(read_manifest(folder), sha256=hashlib.sha256(content).hexdigest())
    (folder / "model.onnx").write_bytes(content)
    write_manifest(folder, manifest)


def test_toy_model_keeps_the_contract(folder: Path) -> None:
    check_stage(OnnxModel(folder), log_mel(61, 64), atol=1e-6)


def what_it_hears(model: OnnxModel, items: int) -> Array:
    """Return input items of shape (2, items, numbers): frames, or the embeddings of an embedding model, 0 or more."""
    if model.manifest.ear is None:
        return log_mel(items, model.manifest.input_size)
    shape = 2, items, model.manifest.input_size
    return np.abs(np.random.default_rng(0).normal(size=shape)).astype(np.float32)


@pytest.mark.parametrize("released", RELEASED, ids=lambda folder: folder.name)
def test_released_model_keeps_the_contract(released: Path) -> None:
    model = OnnxModel(released)
    heard = what_it_hears(model, int(model.latency + 12 * model.hop) + 3)
    check_stage(model, heard, atol=1e-5)


@pytest.mark.parametrize("released", RELEASED, ids=lambda folder: folder.name)
def test_released_model_gives_probabilities_an_ear_what_it_likes_and_a_separation_masks_before(
    released: Path,
) -> None:
    model = OnnxModel(released)
    y = offline(model, what_it_hears(model, int(model.latency + 20 * model.hop)))
    assert y.shape == (2, 21, model.manifest.output_size)
    assert np.isfinite(y).all()
    scores = y[..., y.shape[2] - len(model.manifest.labels) :]
    assert ((scores >= 0) & (scores <= 1)).all()


def test_scores_are_those_of_the_graph(folder: Path) -> None:
    x = log_mel(3 * HOP_FRAMES, 64, batch=1)
    level = x.astype(np.float64).reshape(3, -1).mean(axis=1)
    before = np.array([0.0, *level[:-1]])
    expected = 1 / (1 + np.exp(LOUD - (level + before) / 2))
    np.testing.assert_allclose(offline(OnnxModel(folder), x)[0, :, 0], expected, rtol=0, atol=1e-6)


def test_altered_model_is_never_loaded(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"something else")
    with pytest.raises(ModelError, match="the file was altered"):
        OnnxModel(folder)


def test_file_that_is_no_graph_is_refused(folder: Path) -> None:
    seal(folder, b"no graph at all")
    with pytest.raises(ModelError, match=r"cannot be loaded by ONNX Runtime .*; export the model anew"):
        OnnxModel(folder)


def test_other_inputs_are_refused(folder: Path) -> None:
    graph = onnx.load(folder / "model.onnx")
    graph.graph.input[1].name = "hidden"
    graph.graph.node[2].input[0] = "hidden"
    seal(folder, graph.SerializeToString())
    with pytest.raises(ModelError, match=r"model toy has inputs \['x', 'hidden'\].*says \['x', 'state\.0'\]"):
        OnnxModel(folder)


def test_other_outputs_are_refused(folder: Path) -> None:
    graph = onnx.load(folder / "model.onnx")
    del graph.graph.output[1]
    seal(folder, graph.SerializeToString())
    with pytest.raises(ModelError, match=r"outputs \['y'\]; .*'next_state\.0'.*: export it anew"):
        OnnxModel(folder)


def alter(folder: Path, change: Callable[[onnx.GraphProto], object]) -> None:
    """Change the graph in a way that loading it does not show."""
    model = onnx.load(folder / "model.onnx")
    change(model.graph)
    seal(folder, model.SerializeToString())


def test_a_graph_that_loads_and_does_not_run_is_refused(folder: Path) -> None:
    def other_step(graph: onnx.GraphProto) -> None:
        (shape,) = (c for c in graph.initializer if c.name == "step_shape")
        shape.CopyFrom(numpy_helper.from_array(np.array([0, -1, 7 * 11]), "step_shape"))

    alter(folder, other_step)
    with pytest.raises(ModelError, match=r"model toy does not run \(.+\); export it anew") as refusal:
        OnnxModel(folder)
    assert "\n" not in str(refusal.value)


def test_scores_that_are_no_probabilities_are_refused(folder: Path) -> None:
    def without_sigmoid(graph: onnx.GraphProto) -> None:
        graph.node[-1].op_type = "Neg"

    alter(folder, without_sigmoid)
    with pytest.raises(ModelError, match=r"model toy gives scores from -.* expected probabilities, 0 to 1"):
        OnnxModel(folder)


def test_scores_that_are_no_numbers_are_refused(folder: Path) -> None:
    def root_of_what_is_below_0(graph: onnx.GraphProto) -> None:
        graph.node[-1].op_type = "Log"
        (loud,) = (c for c in graph.initializer if c.name == "loud")
        loud.CopyFrom(numpy_helper.from_array(np.array(9.0, np.float32), "loud"))

    alter(folder, root_of_what_is_below_0)
    with pytest.raises(ModelError, match=r"model toy gives scores from nan to nan"):
        OnnxModel(folder)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"labels": ("loud", "soft")},
            r"gives float32 \(1, 2, 1\), .*; its manifest says float32 \(1, 2, 2\)",
        ),
        ({"hop_frames": 2, "latency_frames": 2}, r"gives float32 \(1, 1, 1\), .* says float32 \(1, 2, 1\)"),
        ({"latency_frames": 8}, r"gives float32 \(1, 3, 1\), .* for 12 frames; .* says float32 \(1, 2, 1\)"),
        ({"states": (StateSpec((2, 1)),)}, r"model toy does not run \(.*state\.0"),
        ({"states": (StateSpec((1, 1), "int64"),)}, r"model toy does not run \("),
    ],
)
def test_a_graph_that_gives_what_its_manifest_does_not_say_is_refused(
    folder: Path, change: dict[str, Any], match: str
) -> None:
    manifest = replace(read_manifest(folder), **change)
    write_manifest(folder, manifest)
    with pytest.raises(ModelError, match=match) as refusal:
        OnnxModel(folder)
    assert str(refusal.value).endswith("export it anew")


def test_a_state_that_grows_is_refused(folder: Path) -> None:
    def whole_history(graph: onnx.GraphProto) -> None:
        (slicing,) = (node for node in graph.node if node.output[0] == "next_state.0")
        slicing.input[1] = "zero"

    alter(folder, whole_history)
    with pytest.raises(
        ModelError, match=r"float32 \(1, 3, 1\) for 8 frames; .*, float32 \(1, 1, 1\): export"
    ):
        OnnxModel(folder)
