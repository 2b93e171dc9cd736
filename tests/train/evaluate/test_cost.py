import json

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper
from torch.utils.flop_counter import FlopCounterMode

from models.ear import Ear
from streamer.bench.target import BenchTarget
from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.errors import ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import read_manifest
from streamer.inference.onnx import OnnxModel
from tests.conftest import ROOT
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model
from train.evaluate import cost

RELEASED = ROOT / "models" / "released" / "ear"
MANIFEST = Manifest(
    name="toy",
    task="gate",
    labels=("music",),
    front_end=LogMelConfig(mel_bands=8),
    hop_frames=2,
    latency_frames=2,
    warm_up_frames=0,
    states=(),
    sha256="",
    commit="",
)


def graph(nodes, **weights):
    """From x (batch, frames, 8) to y."""
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "frames", 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    made = helper.make_graph(nodes, "toy", [x], [y], held)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def floats(*shape):
    return np.ones(shape, np.float32)


def test_multiplications_and_numbers_are_those_counted_by_hand():
    nodes = [
        helper.make_node("Unsqueeze", ["x", "one"], ["map"]),
        helper.make_node("Conv", ["map", "kernel", "bias"], ["seen"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("ReduceMean", ["seen", "one"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "wide"], ["wider"]),
        helper.make_node("Reshape", ["wider", "flat"], ["rows"]),
        helper.make_node("Gemm", ["rows", "narrow"], ["y"], transB=1),
    ]
    model = graph(
        nodes,
        one=np.array([1]),
        flat=np.array([-1, 10]),
        kernel=floats(4, 1, 3, 3),
        bias=floats(4),
        wide=floats(4, 10),
        narrow=floats(3, 10),
        scale=floats(),
    )
    a_step = (
        4 * 4 * 9 + 4 * 10 + 10 * 3
    )  # each step of two frames: four bands of four channels are left of eight
    assert cost.macs_per_step(model, MANIFEST) == pytest.approx(a_step)
    assert cost.parameters(model) == 36 + 4 + 40 + 30


@pytest.mark.parametrize(("kind", "gates"), [("GRU", 3), ("LSTM", 4)])
def test_recurrent_layers_multiply_by_all_gates(kind, gates):
    node = helper.make_node(kind, ["x", "of_input", "of_state"], ["y"], hidden_size=5)
    model = graph([node], of_input=floats(1, gates * 5, 8), of_state=floats(1, gates * 5, 5))
    assert cost.macs_per_step(model, MANIFEST) == 2 * gates * 5 * (8 + 5)


def test_products_of_what_is_heard_count_too():
    nodes = [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["turned", "x"], ["y"]),
    ]
    assert cost.macs_per_step(graph(nodes), MANIFEST) == 2 * 8 * 8


def test_a_graph_without_products_multiplies_nothing_worth_counting():
    assert cost.macs_per_step(graph([helper.make_node("Relu", ["x"], ["y"])]), MANIFEST) == 0


def test_multiplications_of_a_released_model_are_those_that_torch_counts():
    manifest, torch_model = read_manifest(RELEASED), Ear().eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        torch_model(torch.zeros(1, 10 * manifest.hop_frames, manifest.input_size))
    found = cost.macs_per_step(onnx.load(RELEASED / "model.onnx"), manifest)
    assert found == counter.get_total_flops() / 2 / 10


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (
            [helper.make_node("Conv", ["x", "x"], ["y"])],
            "toy has Conv without weights; expected Conv, Gemm",
        ),
        (
            [
                helper.make_node("RNN", ["x", "w", "r"], ["y"]),
                helper.make_node("GRU", ["x", "w", "r"], ["z"]),
            ],
            "toy has GRU without weights, RNN; expected",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused(nodes, said):
    with pytest.raises(ModelError, match=said):
        cost.macs_per_step(graph(nodes), MANIFEST)


def test_only_steps_that_count_are_timed():
    model = OnnxModel(RELEASED)
    times, core_s = cost.step_times(model, np.zeros((1, 4, 64), np.float32), 7)
    assert times.shape == (7,)
    assert times.min() > 0
    assert core_s > 0


def test_a_head_brings_its_ear_which_counts_once(tmp_path, monkeypatch):
    ear = write_toy_ear(tmp_path / "ear")
    heads = [write_toy_head(tmp_path / name, ear, name) for name in ("sounds", "genre")]
    gate = write_toy_model(tmp_path / "gate")
    each = cost.Cost(10, 20.0, 1.0, 2.0, 3.0, 40, 50)
    monkeypatch.setattr(cost, "cost_of", lambda folder: each)
    monkeypatch.setattr(cost, "front_end_core_ms_per_s", lambda config: 0.5)
    found = cost.measure([*heads, gate], "python -m train cost")
    assert list(found["models"]) == ["ear", "sounds", "genre", "gate"]
    fingerprint = LogMel().config.fingerprint[:12]
    assert found["front_ends"] == {fingerprint: 0.5}
    assert found["together"] == {
        "parameters": 40,
        "macs_per_s": 80.0,
        "core_ms_per_s": 12.0,
        "disk_bytes": 160,
        "core_ms_per_s_with_front_ends": 12.5,
    }


def test_the_command_measures_a_released_folder_whole(monkeypatch):
    monkeypatch.setattr(cost, "WARM_UP_STEPS", 2)
    done = CliRunner().invoke(cost.cost_command, [str(RELEASED)], catch_exceptions=False)
    found = json.loads(done.stdout)
    model = found["models"][RELEASED.name]
    assert found["command"] == f"python -m train cost {RELEASED}"
    assert model["disk_bytes"] == (RELEASED / "model.onnx").stat().st_size
    assert 0 < model["step_ms_median"] <= model["step_ms_p99"]
    assert 0 < model["core_ms_per_s"] < found["together"]["core_ms_per_s_with_front_ends"]
    assert model["memory_bytes"] > model["disk_bytes"]


def test_the_command_measures_what_listens_if_nothing_is_named(monkeypatch):
    monkeypatch.setattr(cost, "cost_of", lambda folder: cost.Cost(1, 2.0, 3.0, 4.0, 5.0, 6, 7))
    monkeypatch.setattr(cost, "front_end_core_ms_per_s", lambda config: 0.5)
    done = CliRunner().invoke(cost.cost_command, [], catch_exceptions=False)
    listening = BenchTarget.load(Config(models=ModelsConfig({"taught": "off"}))).models
    assert set(json.loads(done.stdout)["models"]) == {model.manifest.name for model in listening}


def test_memory_of_what_is_no_model_is_one_line(tmp_path):
    with pytest.raises(ModelError, match=r"cannot be measured \(.*has no manifest\.json"):
        cost.memory_bytes(tmp_path)
