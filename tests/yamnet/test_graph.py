"""Test that the graph that ships without weights is the torch network once it has weights."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from models.yamnet import SlidingYAMNet, YAMNet
from streamer.errors import ModelError
from streamer.yamnet.graph import graph_with_weights, tensors_message
from streamer.yamnet.weights import SHAPES
from tests.yamnet.toy_weights import MUSIC, toy_weights
from train.export.yamnet_graph import SHIPPED, write_weightless_graph


def test_a_message_of_tensors_is_what_onnx_reads() -> None:
    tensors = {
        "wide/name": np.arange(300, dtype=np.float32).reshape(2, 150),
        "number": np.array(0.5, np.float32),
        "places": np.array([132, -1], np.int64),
    }
    model = onnx.ModelProto.FromString(tensors_message(tensors))
    found = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert list(found) == list(tensors)
    for name, array in tensors.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_the_whole_graph_is_valid_and_has_every_array() -> None:
    weights = toy_weights(6.0)
    model = onnx.load_from_string(graph_with_weights(weights, ("Music",)))
    onnx.checker.check_model(model, full_check=True)
    found = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name in SHAPES:
        np.testing.assert_array_equal(found[name], weights.arrays[name])
    assert found["network/relu_max"] == 6.0
    assert found["gate/classes"].tolist() == [MUSIC]


def test_the_shipped_graph_has_no_weights() -> None:
    names = {tensor.name for tensor in onnx.load(SHIPPED).graph.initializer}
    assert not names & set(SHAPES)
    assert SHIPPED.stat().st_size < 20_000


def test_the_shipped_graph_is_what_the_network_exports_to(tmp_path: Path) -> None:
    write_weightless_graph(tmp_path / "graph.onnx")
    made, shipped = (onnx.load(path).graph for path in (tmp_path / "graph.onnx", SHIPPED))
    assert [node.SerializeToString() for node in made.node] == [
        node.SerializeToString() for node in shipped.node
    ]


@pytest.mark.parametrize("relu_max", [math.inf, 6.0], ids=["ReLU", "ReLU6"])
@pytest.mark.parametrize("hop_frames", [1, 10, 95])
def test_it_gives_what_torch_gives(relu_max: float, hop_frames: int) -> None:
    weights = toy_weights(relu_max)
    model = SlidingYAMNet(YAMNet.from_weights(weights), hop_frames)
    session = onnxruntime.InferenceSession(graph_with_weights(weights, ("Music", "class 0")))
    rng = np.random.default_rng(2)
    x = rng.normal(-3.0, 3.0, (2, 3 * hop_frames, 64)).astype(np.float32)
    past = rng.normal(2.0, 3.0, (2, 96 - hop_frames, 64)).astype(np.float32)
    y, after, scores, embedding = session.run(None, {"x": x, "state.0": past})
    with torch.no_grad():
        logits, expected, (state,) = model.classify(torch.from_numpy(x), (torch.from_numpy(past),))
    np.testing.assert_allclose(scores, torch.sigmoid(logits).numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(embedding, expected.numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(after, state.numpy())
    np.testing.assert_array_equal(y, scores[:, :, [MUSIC, 0]])


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="has no class 'Musik'"):
        graph_with_weights(toy_weights(), ("Musik",))
