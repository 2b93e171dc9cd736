"""Open released models with the library that the configuration names."""

from __future__ import annotations

from pathlib import Path

from streamer.config import EngineConfig
from streamer.inference.onnx import ON_CPU, ON_GPU, OnnxModel
from streamer.inference.stepped_model import SteppedModel

PROVIDERS = {"cpu": ON_CPU, "cuda": ON_GPU}
"""ONNX Runtime's execution provider for each backend that it runs."""


def open_model(folder: Path, engine: EngineConfig) -> SteppedModel:
    """Load a model for the backend of a configuration.

    Parameters
    ----------
    folder : Path
        A released-model folder.
    engine : EngineConfig
        Only its `backend` and `threads` are used.

    Raises
    ------
    ConfigError
        If the backend is not installed, or finds no GPU.
    ModelError
        If the folder is not whole, was altered, or does not fit this program.
    """
    if engine.backend == "torch":
        from streamer.inference.torch_model import TorchModel

        return TorchModel(folder)
    return OnnxModel(folder, engine.threads, PROVIDERS[engine.backend])
