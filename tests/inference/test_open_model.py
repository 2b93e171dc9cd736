"""Test the backends: one that is not installed is refused by name, and threads do not change the results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from streamer.config_sections import EngineConfig
from streamer.errors import ConfigError, StreamError
from streamer.inference.model_cache import ModelCache
from streamer.inference.onnx import ON_GPU, OnnxModel
from streamer.inference.open_model import open_model
from tests.programs import streamer
from tests.toy_model import write_toy_model

HAS_CUDA = ON_GPU in onnxruntime.get_available_providers()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_model(tmp_path / "toy")


def test_threads_change_nothing(folder: Path) -> None:
    x = np.random.default_rng(1).normal(size=(3, 48, 64)).astype(np.float32)
    one, two = (open_model(folder, EngineConfig(threads=n)) for n in (1, 2))
    np.testing.assert_allclose(two.step(x, two.init(3))[0], one.step(x, one.init(3))[0], atol=1e-6)


@pytest.mark.skipif(HAS_CUDA, reason="this ONNX Runtime has CUDA")
def test_cuda_that_is_not_there_names_the_package(folder: Path) -> None:
    with pytest.raises(
        ConfigError,
        match=r"--backend cuda needs CUDAExecutionProvider, and this ONNX Runtime has .*CPUExecutionProvider.*; type: "
        r"pip uninstall --yes onnxruntime && pip install onnxruntime-gpu",
    ):
        ModelCache(EngineConfig(backend="cuda")).model(folder)


@pytest.mark.skipif(HAS_CUDA, reason="this ONNX Runtime has CUDA")
def test_the_command_says_so_before_anything_opens(folder: Path) -> None:
    done = streamer("analyze", "a.wav", "--model", f"gate={folder}", "--backend", "cuda")
    assert done.returncode == ConfigError.exit_code
    assert b"--backend cuda needs CUDAExecutionProvider" in done.stderr


def test_cuda_gives_what_the_cpu_gives(folder: Path) -> None:
    x = np.random.default_rng(1).normal(size=(3, 48, 64)).astype(np.float32)
    try:
        gpu = OnnxModel(folder, provider=ON_GPU)
    except ConfigError as error:
        pytest.skip(str(error))
    cpu = OnnxModel(folder)
    np.testing.assert_allclose(gpu.step(x, gpu.init(3))[0], cpu.step(x, cpu.init(3))[0], atol=1e-4)


def test_a_step_for_which_there_is_no_memory_says_how_much_it_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = OnnxModel(folder)

    class Full:
        def run(self, *_: object) -> None:
            raise RuntimeError(
                "Non-zero status code returned while running Conv node.\n"
                "AllocateRawInternal Failed to allocate memory for requested buffer of size 9437184"
            )

    monkeypatch.setattr(model, "_session", Full())
    expected = (
        r"no memory left for a step of 3 streams of toy \(.* buffer of size 9437184\); hear fewer streams"
    )
    with pytest.raises(StreamError, match=expected):
        model.run(np.zeros((3, 48, 64), np.float32), model.init_model_state(3))


@pytest.mark.parametrize(
    "words", ["Exception during initialization: std::bad_alloc", "CUDA failure 2: out of memory"]
)
def test_weights_for_which_there_is_no_memory_are_not_called_damaged(
    folder: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr("streamer.inference.onnx.open_session", full)
    with pytest.raises(StreamError, match="no memory left for the weights of toy"):
        OnnxModel(folder)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("backend", "tpu", "expected one of cpu, cuda, torch"), ("threads", 0, "expected 1 to 256")],
)
def test_what_no_engine_has_is_refused(key: str, value: object, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"{key} is {value!r}; {expected}"):
        EngineConfig(**{key: value})  # type: ignore[arg-type]
