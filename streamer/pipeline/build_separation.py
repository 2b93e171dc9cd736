"""Build the separation that a configuration names, or that its stems need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamer.config import Config
from streamer.errors import ConfigError
from streamer.head_slots import head_slot
from streamer.heads.head import Head
from streamer.heads.label_choice import choose_labels
from streamer.inference.model_cache import ModelCache, chosen_folder
from streamer.inference.model_folders import find_model
from streamer.inference.stepped_model import SteppedModel
from streamer.separation.gated_separation import Separation

SLOT = head_slot("separation")


def build_separation(config: Config, heads: Sequence[Head], cache: ModelCache) -> Separation | None:
    """Return the separation of a configuration; None if it names none and asks for no stems.

    Parameters
    ----------
    config : Config
    heads : sequence of Head
        The other heads of the stream; the gate may be among them.
    cache : ModelCache
        Models that are loaded already; a model that is loaded here is added.

    Raises
    ------
    ModelError
        If the model is absent, altered, does not fit, or is for another slot.
    ConfigError
        If stems are asked for and there is no separation model, or a label is named that the model does not have.
    """
    name = config.models.names[SLOT.name]
    folder = chosen_folder(SLOT.name, name if name or config.stems.wanted else "off")
    if folder is None:
        if config.stems.wanted:
            raise ConfigError(
                "stems are asked for and no model takes them apart; name one, as in --model separation=FOLDER"
            )
        return None
    model = cache.for_slot(SLOT.name, folder)
    decisions = config.decisions[SLOT.section]
    choose_labels(
        SLOT.name, SLOT.section, model.manifest, decisions
    )  # there is one label: it refuses any other
    separation = Separation(SLOT.section, SLOT.kind, model, decisions, prefer=config.models.prefer)
    gate = next((head for head in heads if head.name == SLOT.opened_by), None)
    if gate is None:
        return separation
    return replace(separation, opened_by=gate.name, gate_rate_hz=gate.model.manifest.log_mel.sample_rate_hz)


def load_separation(name: str) -> SteppedModel:
    """Return a separation model, given the name of a released one or a folder.

    Raises
    ------
    ModelError
        If there is no such model, it was altered, or it is for another head slot.
    """
    return ModelCache().for_slot(SLOT.name, find_model(name))
