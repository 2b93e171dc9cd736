"""The separation that a user names."""

from __future__ import annotations

from collections.abc import Sequence

from streamer.config import Config
from streamer.errors import ConfigError, ModelError
from streamer.heads import Head
from streamer.inference.onnx import OnnxModel
from streamer.model_folders import find_model, released_folders
from streamer.separation.stream import Separation

PLACE = "separation"
"""Its key in ``[models]``, its task, and the name of the released one."""
GATE = "gate"
"""The head that opens it."""


def separation_of(config: Config, heads: Sequence[Head]) -> Separation | None:
    """The separation of a configuration, if one is named, or stems are asked for.

    Parameters
    ----------
    config : Config
    heads : sequence of Head
        What listens beside it; its gate may be among them.

    Raises
    ------
    ModelError
        If it is absent, altered or does not fit, or the model does something else.
    ConfigError
        If stems are asked for and nothing separates.
    """
    name = config.models.separation
    if name is None and config.stems.wanted:
        name = PLACE if PLACE in {folder.name for folder in released_folders()} else ""
    if name in {None, "", "off"}:
        if config.stems.wanted:
            raise ConfigError(
                "stems are asked for and no model takes them apart; name one, as in --model separation=FOLDER"
            )
        return None
    assert name is not None
    gate = next((head for head in heads if head.name == GATE), None)
    rate_hz = {"gate_rate_hz": gate.model.manifest.log_mel.sample_rate_hz} if gate else {}
    opened_by = gate.name if gate else None
    return Separation(load_separation(name), config.voice, config.models.prefer, opened_by, **rate_hz)


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
