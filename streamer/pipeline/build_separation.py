"""The separation that a user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamer.config import Config
from streamer.errors import ConfigError
from streamer.heads.head import Head
from streamer.inference.model_cache import ModelCache, chosen_folder
from streamer.inference.model_folders import find_model
from streamer.inference.stepped_model import SteppedModel
from streamer.separation.gated_separation import Separation

PLACE = "separation"
"""Its key in ``[models]``, its task, and the name of the released one."""
GATE = "gate"
"""The head that opens it."""


def separation_of(config: Config, heads: Sequence[Head], loaded: ModelCache) -> Separation | None:
    """The separation of a configuration, if one is named, or stems are asked for.

    Parameters
    ----------
    config : Config
    heads : sequence of Head
        What listens beside it; its gate may be among them.
    loaded : ModelCache
        Where models come from, and go that it does not have yet.

    Raises
    ------
    ModelError
        If it is absent, altered or does not fit, or the model does something else.
    ConfigError
        If stems are asked for and nothing separates.
    """
    named = config.models.separation
    folder = chosen_folder(PLACE, named if named or config.stems.wanted else "off")
    if folder is None:
        if config.stems.wanted:
            raise ConfigError(
                "stems are asked for and no model takes them apart; name one, as in --model separation=FOLDER"
            )
        return None
    separation = Separation(loaded.for_place(PLACE, folder), config.voice, config.models.prefer)
    gate = next((head for head in heads if head.name == GATE), None)
    if gate is None:
        return separation
    return replace(separation, opened_by=gate.name, gate_rate_hz=gate.model.manifest.log_mel.sample_rate_hz)


def load_separation(name: str) -> SteppedModel:
    """Load a separation by the name of a released one, or by its folder.

    Raises
    ------
    ModelError
        If there is none, it was altered, or the model does something else.
    """
    return ModelCache().for_place(PLACE, find_model(name))
