import shutil

import onnx
import pytest
import torch
from torch import nn

from models.gate import Gate, GateConfig
from streamer.errors import ModelError
from streamer.frontend import FrontEndConfig
from streamer.manifest import Manifest, read_manifest, verify_file
from train.export import TOLERANCE, check_parity, export

SMALL = GateConfig(mel_bands=16, spectral_channels=(2, 3, 4), channels=6, dilations=(1, 2))


def described(model: Gate) -> Manifest:
    return Manifest(
        name="toy",
        task="gate",
        labels=model.labels,
        front_end=FrontEndConfig(mel_bands=16),
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

    monkeypatch.setattr("train.export.write_graph", write_other_graph)
    model = trained_gate()
    with torch.no_grad():
        model.head.bias.add_(0.5)
    (tmp_path / "model.onnx").write_bytes(b"before")
    with pytest.raises(
        ModelError, match=r"\(ONNX stepped\); expected at most 0\.0001: mend the model's state"
    ):
        export(model, described(model), tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == b"before"
