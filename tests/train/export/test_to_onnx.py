import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from models.gate import Gate, GateConfig
from models.layers import StreamingModel
from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import read_manifest, verify_file
from streamer.inference.onnx import OnnxModel
from train.export.to_onnx import TOLERANCE, check_parity, export

SMALL = GateConfig(mel_bands=16, spectral_channels=(2, 3, 4), channels=6, dilations=(1, 2))


def described(model: Gate) -> Manifest:
    return Manifest(
        name="toy",
        task="gate",
        labels=model.labels,
        front_end=LogMelConfig(mel_bands=16),
        hop_frames=model.hop_frames,
        latency_frames=model.latency_frames,
        warm_up_frames=8,
        states=(),
        sha256="",
        commit="none",
    )


def trained_gate(kind: type[Gate] = Gate) -> Gate:
    """Random weights, strong enough that scores use the whole range, and batch norms that are not neutral."""
    torch.manual_seed(0)
    gate = kind(SMALL)
    gate.set_normalisation(torch.full((16,), -2.0), torch.full((16,), 1.5))
    with torch.no_grad():
        gate.head.weight.mul_(20.0)
        for module in gate.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0.0, 0.3)
                module.running_var.uniform_(0.5, 2.0)
    return gate.eval()


class ForgetfulGate(Gate):
    """Loses its spectral state between two steps."""

    def forward(self, x, state=None):
        y, after = super().forward(x, state)
        split = len(self.body.state_shapes)
        return y, tuple(torch.zeros_like(s) for s in after[:split]) + after[split:]


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = tmp_path_factory.mktemp("released")
    model = trained_gate()
    return model, export(model, described(model), folder), folder


def test_the_folder_is_whole_and_within_tolerance(released):
    model, manifest, folder = released
    assert read_manifest(folder) == manifest
    verify_file(folder, manifest)
    assert [state.shape for state in manifest.states] == list(model.state_shapes)
    assert check_parity(model, folder) <= TOLERANCE
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.onnx"]


def test_the_graph_has_the_declared_signature(released):
    _, manifest, folder = released
    graph = onnx.load(folder / "model.onnx").graph
    count = len(manifest.states)
    assert [i.name for i in graph.input] == ["x", *(f"state.{n}" for n in range(count))]
    assert [o.name for o in graph.output] == ["y", *(f"next_state.{n}" for n in range(count))]
    assert "BatchNormalization" not in {node.op_type for node in graph.node}


def test_every_convolution_of_the_graph_has_its_weights_as_they_are_used(released):
    _, _, folder = released
    graph = onnx.load(folder / "model.onnx").graph
    held = {weights.name for weights in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert convolutions
    assert {node.input[1] for node in convolutions} <= held


def test_export_leaves_the_model_as_it_was(released):
    model, _, _ = released
    assert any(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def test_the_graph_says_nothing_of_the_machine_it_was_made_on(released):
    _, _, folder = released
    assert b".py" not in (folder / "model.onnx").read_bytes()


def test_a_model_that_loses_its_state_is_refused(released):
    _, _, folder = released
    with pytest.raises(ModelError, match=r"export of toy differs from torch whole by .* \(torch stepped\)"):
        check_parity(trained_gate(ForgetfulGate), folder)


def test_a_broken_graph_is_refused_and_what_was_released_stays(released, tmp_path, monkeypatch):
    _, _, folder = released

    def write_other_graph(model, manifest, path):
        shutil.copy(folder / "model.onnx", path)

    monkeypatch.setattr("train.export.to_onnx.write_graph", write_other_graph)
    model = trained_gate()
    with torch.no_grad():
        model.head.bias.add_(0.5)
    (tmp_path / "model.onnx").write_bytes(b"before")
    with pytest.raises(
        ModelError, match=r"\(ONNX stepped\); expected at most 0\.0001: mend the model's state"
    ):
        export(model, described(model), tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == b"before"


class Embedder(StreamingModel):
    """An ear of one layer: the gate's body without its head, large numbers in places."""

    def __init__(self):
        super().__init__()
        self.gate = trained_gate()
        self.gate.head = nn.Linear(6, 5)
        self.state_shapes = self.gate.state_shapes

    def forward(self, x, state=None):
        y, state = self.gate(x, state)
        return 30.0 * torch.relu(y), state


class LinearHead(StreamingModel):
    """A head without a state."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 3)

    def forward(self, x, state=None):
        return self.linear(x), ()


@pytest.fixture(scope="module")
def ear(tmp_path_factory):
    torch.manual_seed(1)
    model = Embedder().eval()
    described_ear = replace(described(model.gate), name="ear", task="ear", labels=(), embedding_size=5)
    return export(model, described_ear, tmp_path_factory.mktemp("ear"))


def test_an_ear_is_released_with_the_numbers_that_it_gives(tmp_path):
    torch.manual_seed(1)
    model = Embedder().eval()
    manifest = replace(described(model.gate), name="ear", task="ear", labels=(), embedding_size=5)
    export(model, manifest, tmp_path)
    x = np.random.default_rng(0).normal(-2.0, 1.5, (1, 40, 16)).astype(np.float32)
    given = offline(OnnxModel(tmp_path), x)
    assert given.shape == (1, 10, 5)
    assert given.max() > 1.0
    with torch.no_grad():
        np.testing.assert_allclose(given, model(torch.from_numpy(x))[0].numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_head_on_an_ear_gives_calibrated_probabilities(ear, tmp_path, exclusive):
    torch.manual_seed(2)
    head = LinearHead().eval()
    manifest = replace(
        ear, name="genre", task="genre", labels=("a", "b", "c"), embedding_size=None, ear=ear.as_ear(),
        hop_frames=1, latency_frames=1, exclusive=exclusive, temperature=2.0,
    )  # fmt: skip
    written = export(head, manifest, tmp_path)
    assert written.states == ()
    assert read_manifest(tmp_path).ear == ear.as_ear()
    x = np.random.default_rng(0).normal(0.0, 3.0, (1, 7, 5)).astype(np.float32)
    given = offline(OnnxModel(tmp_path), x)
    with torch.no_grad():
        logits = head(torch.from_numpy(x))[0] / 2.0
    expected = torch.softmax(logits, -1) if exclusive else torch.sigmoid(logits)
    np.testing.assert_allclose(given, expected.numpy(), rtol=0, atol=1e-5)
