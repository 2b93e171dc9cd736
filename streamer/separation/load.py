"""The separation that a user names."""

from __future__ import annotations

from streamer.errors import ModelError
from streamer.inference.onnx import OnnxModel
from streamer.model_folders import find_model


def load_separation(name: str) -> OnnxModel:
    """Load a separation by the name of a released one, or by its folder.

    Raises
    ------
    ModelError
        If there is none, it was altered, or the model does something else.
    """
    model = OnnxModel(find_model(name))
    if not model.manifest.is_separation:
        raise ModelError(
            f"model {model.manifest.name} decides {model.manifest.task!r}; expected a model whose task is "
            "'separation', see `streamer models`"
        )
    return model
