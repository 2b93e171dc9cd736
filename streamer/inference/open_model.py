"""Open a model for the backend that the configuration names."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from streamer.config_sections import EngineConfig
from streamer.inference.stepped_model import SteppedModel
from streamer.inference_backends import BACKENDS


def open_model(folder: Path, engine: EngineConfig) -> SteppedModel:
    """Return the model in a folder, run by the backend of a configuration.

    Parameters
    ----------
    folder : Path
        A released-model folder.
    engine : EngineConfig
        Settings, of which `backend` and `threads` are used.

    Raises
    ------
    ConfigError
        If the backend is not installed, or finds no GPU.
    ModelError
        If the folder is incomplete, was altered, or does not fit this program.
    """
    module, _, name = BACKENDS[engine.backend].partition(":")
    model: SteppedModel = getattr(import_module(module), name)(folder, engine)
    return model
