"""A released model as a program of torch's: the same figures, whoever steps with whom, and on a GPU if there is one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from streamer.arrays import Array
from streamer.dsp.model_calls import run_alone
from streamer.errors import ConfigError, ModelError, StreamError
from streamer.inference.batching import BatchRunner
from streamer.inference.model_folders import find_model
from streamer.inference.onnx import OnnxModel
from streamer.inference.torch_model import TorchModel
from train.errors import TrainingError
from train.export.onnx_graph import OnnxGraph
from train.export.torch_program import write_program

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")),
]
MODELS = ("gate", "ear", "sounds", "genre", "separation")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Released models with their programs."""
    parent = tmp_path_factory.mktemp("programs")
    for name in MODELS:
        shutil.copytree(find_model(name), parent / name)
        write_program(parent / name)
    return parent


def blocks(model: OnnxModel, streams: int) -> list[list[Array]]:
    """Random frames of some streams, a few hops in blocks of any length."""
    rng = np.random.default_rng(2)
    hop, size = model.manifest.hop_frames, model.manifest.input_size
    made = []
    for _ in range(streams):
        x = rng.normal(size=(1, 6 * hop, size)).astype(np.float32)
        cuts = np.sort(rng.integers(0, 6 * hop, 5))
        made.append(np.split(x, cuts, axis=1))
    return made


def whole(parts: Sequence[Array]) -> Array:
    return np.concatenate(list(parts), axis=1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", MODELS)
def test_it_gives_what_onnx_runtime_gives_whoever_steps_with_whom(
    folders: Path, name: str, device: str
) -> None:
    reference, model = OnnxModel(folders / name), TorchModel(folders / name, device)
    sounds, rng = blocks(reference, 5), np.random.default_rng(3)
    states = [model.init() for _ in sounds]
    given: list[list[Array]] = [[] for _ in sounds]
    waiting, runner = [list(own) for own in sounds], BatchRunner([model])
    while any(waiting):
        due = [n for n, own in enumerate(waiting) if own and rng.random() < 0.7]
        for n, answer in zip(
            due, runner.run([model.step_calls(waiting[n].pop(0), states[n]) for n in due]), strict=True
        ):
            assert not isinstance(answer, Exception)
            y, states[n] = answer
            given[n].append(y)
    for own, found in zip(sounds, given, strict=True):
        wanted, _ = run_alone(reference.step_calls(whole(own), reference.init()))
        np.testing.assert_allclose(whole(found), wanted, atol=1e-4 * max(1.0, float(np.abs(wanted).max())))


def test_without_its_program_it_names_the_command(folders: Path) -> None:
    with pytest.raises(
        ModelError, match=r"has no model.pt2, which torch runs; make it by python -m train program"
    ):
        TorchModel(find_model("gate"), "cpu")


def test_a_program_of_another_graph_is_refused(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "genre", tmp_path / "genre")
    shutil.copyfile(folders / "gate" / "model.pt2", tmp_path / "genre" / "model.pt2")
    with pytest.raises(
        ModelError, match=r"was made of the graph [0-9a-f]{12}, the manifest says [0-9a-f]{12}"
    ):
        TorchModel(tmp_path / "genre", "cpu")


def test_a_damaged_program_is_refused(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "genre", tmp_path / "genre")
    (tmp_path / "genre" / "model.pt2").write_bytes(b"no program")
    with pytest.raises(ModelError, match="cannot be loaded by torch"):
        TorchModel(tmp_path / "genre", "cpu")


@pytest.mark.parametrize("full", ["from_numpy", "empty"])
def test_a_gpu_without_memory_says_for_what_and_how_much_it_has(
    folders: Path, full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise torch.cuda.OutOfMemoryError

    model = TorchModel(folders / "gate", "cpu")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1_000_000, 8_000_000_000))
    monkeypatch.setattr(torch, full, no_memory)
    expected = (
        r"the GPU has no memory left for the states of .* of gate \(free 1 MB of 8000\); hear fewer streams"
    )
    with pytest.raises(StreamError, match=expected):
        model.allocate_state(512, model.init())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(folders: Path) -> None:
    with pytest.raises(ConfigError, match=r"--backend torch needs a GPU, and torch .* finds none"):
        TorchModel(folders / "gate")


def test_an_operation_that_the_exporter_does_not_make_is_named(tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    given = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    nodes = [onnx.helper.make_node("Tan", ["x"], ["z"]), onnx.helper.make_node("Relu", ["z"], ["y"])]
    onnx.save(
        onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [value], [given])), tmp_path / "model.onnx"
    )
    with pytest.raises(
        TrainingError, match=r"has the operations Tan; expected those of `train\.export\.to_onnx`"
    ):
        OnnxGraph(tmp_path / "model.onnx")
