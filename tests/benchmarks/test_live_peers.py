"""Test that the benchmark against YAMNet times what it describes, and reports what is left out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from benchmarks.live_peers import (
    RATE_HZ,
    SILERO_CONTEXT,
    SILERO_SAMPLES,
    Peer,
    core_ms_per_s,
    ours,
    silero_file,
    stepped_silero,
    stepped_yamnet,
    windowed_tflite,
    windowed_yamnet,
)
from benchmarks.yamnet_live import compare, make_peers, tflite, yamnet
from streamer.bench.recording import recording
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.errors import ConfigError, ModelError
from streamer.inference.onnx import OnnxModel
from streamer.yamnet.folder import Check, write_folder
from streamer.yamnet.parity import EXACT
from tests.yamnet.toy_weights import noise, toy_weights
from train.yamnet.torch_reference import TorchYAMNet


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights = toy_weights()
    made = tmp_path_factory.mktemp("yamnet") / "yamnet"
    write_folder(weights, 48, [Check(TorchYAMNet(weights), EXACT)], [noise()], made)
    return made


def test_a_window_is_heard_as_it_is_in_a_stream(folder: Path) -> None:
    sound, _ = recording(RATE_HZ)
    in_stream = offline(OnnxModel(folder), offline(LogMel(), sound[None, : 2 * RATE_HZ]))
    often, seldom = windowed_yamnet(folder, (0.1, 0.48))
    assert (often.sound_s, seldom.sound_s) == (0.1, 0.48)
    # The second step of 48 frames is the first that has heard a whole patch of sound.
    np.testing.assert_allclose(often.call(), in_stream[:, 1:2], atol=1e-5)


def test_a_stepped_yamnet_hears_hop_by_hop(folder: Path) -> None:
    sound, _ = recording(RATE_HZ)
    peer = stepped_yamnet(folder)
    assert peer.sound_s == 0.48
    y = [peer.call() for _ in range(3)]
    hops = sound[None, : 3 * 48 * 160]
    np.testing.assert_allclose(
        np.concatenate(y, axis=1), offline(OnnxModel(folder), offline(LogMel(), hops)), atol=1e-5
    )


def write_counting_detector(path: Path) -> Path:
    """Make a graph of Silero's form that gives the mean of its context and the number of steps, which is its state."""
    node, info = helper.make_node, helper.make_tensor_value_info
    constants = [
        helper.make_tensor(name, TensorProto.INT64, [1], [value])
        for name, value in {"zero": 0, "context": SILERO_CONTEXT, "axis": 1}.items()
    ]
    constants.append(helper.make_tensor("one", TensorProto.FLOAT, [], [1.0]))
    nodes = [
        node("Slice", ["input", "zero", "context", "axis"], ["before"]),
        node("ReduceMean", ["before", "axis"], ["output"], keepdims=1),
        node("Add", ["state", "one"], ["stateN"]),
        node("Identity", ["sr"], ["rate"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [
            info("input", TensorProto.FLOAT, [1, SILERO_CONTEXT + SILERO_SAMPLES]),
            info("state", TensorProto.FLOAT, [2, 1, 128]),
            info("sr", TensorProto.INT64, []),
        ],
        [info("output", TensorProto.FLOAT, [1, 1]), info("stateN", TensorProto.FLOAT, [2, 1, 128])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def test_silero_hears_the_end_of_the_step_before_again(tmp_path: Path) -> None:
    sound, _ = recording(RATE_HZ)
    peer = stepped_silero(write_counting_detector(tmp_path / "silero_vad.onnx"))
    assert peer.sound_s == 0.032
    given = [float(peer.call()[0, 0]) for _ in range(200)]
    ends = sound[: 199 * SILERO_SAMPLES].reshape(199, -1)[:, -SILERO_CONTEXT:].mean(axis=1)
    assert np.abs(ends).max() > 0
    np.testing.assert_allclose(given, [0.0, *ends], atol=1e-6)


def test_our_streams_hear_a_block_each() -> None:
    peer = ours(2, 0.1)
    peer.call()
    assert peer.sound_s == pytest.approx(0.2)


def test_cost_is_for_a_second_of_one_stream() -> None:
    calls = [0]

    def work() -> None:
        calls[0] += 1
        np.linalg.svd(np.ones((20, 20)))

    cost = core_ms_per_s([Peer("a", work, 0.1), Peer("b", work, 1e9)], rounds=1, least_s=0.0)
    assert cost["a"] > cost["b"] > 0
    result = compare([Peer("ours", work, 0.1)], [Peer("theirs", work, 1e9)], 1, 0.0)
    assert result["ours"]["times"] == {"ours": 1.0}
    assert result["theirs"]["times"] == {"ours": 0.0}
    assert calls[0] > 4


def test_what_cannot_be_had_is_left_out_with_its_reason(tmp_path: Path) -> None:
    peer = Peer("here", lambda: None, 1.0)

    def absent() -> list[Peer]:
        raise ModelError("it is not there")

    assert make_peers({"a": lambda: [peer], "b": absent}) == ([peer], {"b": "it is not there"})
    with pytest.raises(
        ConfigError, match=r"^no folder; make one by python -m train import-yamnet, .* --yamnet"
    ):
        yamnet(None)
    with pytest.raises(ConfigError, match=r"^no file; name YAMNet as tflite by --tflite FILE$"):
        tflite(None)
    with pytest.raises(
        ModelError, match=r"no\.onnx cannot be loaded by ONNX Runtime .* expected silero_vad\.onnx$"
    ):
        stepped_silero(tmp_path / "no.onnx")


def test_without_litert_or_silero_it_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setattr("benchmarks.live_peers.find_spec", lambda name: None)
    with pytest.raises(
        ModelError, match=r"a\.tflite needs LiteRT, .*; type: pip install 'streamer\[tfhub\]'$"
    ):
        windowed_tflite(tmp_path / "a.tflite", (0.1,))
    with pytest.raises(
        ConfigError, match=r"^silero-vad is not installed; type: pip install --no-deps silero-vad"
    ):
        silero_file()
