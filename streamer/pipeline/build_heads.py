"""Build the heads that a configuration names, slot by slot."""

from __future__ import annotations

from pathlib import Path

from streamer.config import Config
from streamer.custom_sounds.learner import load_learner
from streamer.custom_sounds.store import SoundStore, taught_folder
from streamer.errors import ModelError
from streamer.head_slots import HEAD_SLOTS, DecisionConfig, HeadSlot
from streamer.heads.head import Head
from streamer.heads.label_choice import choose_labels
from streamer.inference.manifest import Manifest
from streamer.inference.model import Model
from streamer.inference.model_cache import ModelCache, chosen_folder
from streamer.inference.model_folders import ear_folder
from streamer.inference.onnx import OnnxModel
from streamer.inference.stepped_model import SteppedModel


def build_heads(config: Config, cache: ModelCache) -> tuple[Head, ...]:
    """Return the heads that a configuration names, in the order of the head slots.

    Parameters
    ----------
    config : Config
    cache : ModelCache
        Models that are loaded already; models that are loaded here are added.

    Raises
    ------
    ModelError
        If a model is absent, altered, does not fit, or is for another slot.
    ConfigError
        If the configuration sets one threshold that contradicts the model's other one, or names a label that the model
        does not have.
    """
    found = {slot: _model(slot, config, cache) for slot in HEAD_SLOTS if slot.built_from != "separation"}
    models = {slot: model for slot, model in found.items() if model}
    set_slots = {slot.name for slot in models}
    return tuple(
        Head(
            slot.section,
            slot.kind,
            model,
            decisions=config.decisions[slot.section],
            ear=ear,
            prefer=config.models.prefer,
            own_kinds=slot.own_kinds,
            opened_by=slot.opened_by if slot.opened_by in set_slots else None,
            pre_roll_s=config.models.pre_roll_s,
            choice=choose_labels(slot.name, slot.section, model.manifest, config.decisions[slot.section]),
        )
        for slot, (model, ear) in models.items()
    )


def verify_model(folder: Path) -> Manifest:
    """Return a model's manifest, after a check that the model and its ear are intact and fit each other.

    Returns
    -------
    Manifest
        Manifest of the model in `folder`.

    Raises
    ------
    ModelError
        If the model could not run.
    """
    model = OnnxModel(folder)
    manifest = model.manifest
    if not manifest.is_ear:
        # A head refuses a model that does not fit its ear.
        ear = _ear_of(manifest, folder, ModelCache())
        Head(manifest.task, manifest.task, model, DecisionConfig(), ear=ear)
    return manifest


def _model(slot: HeadSlot, config: Config, cache: ModelCache) -> tuple[Model, Model | None] | None:
    """Return the model of a slot and its ear, if it has one; None where the slot is empty."""
    name = config.models.names[slot.name]
    if slot.built_from == "recordings":
        return _taught_model(slot, name, cache)
    folder = chosen_folder(slot.name, name)
    if folder is None:
        return None
    model = cache.for_slot(slot.name, folder)
    return model, _ear_of(model.manifest, folder, cache)


def _taught_model(slot: HeadSlot, name: str | None, cache: ModelCache) -> tuple[Model, Model] | None:
    """Compute the model of the sounds that the user taught, if there are any."""
    if name in {"", "off"}:
        return None
    store = SoundStore(Path(name) if name else taught_folder())
    if not store.labels():
        if name:
            raise ModelError(
                f"[models] {slot.name} is {name!r}, a folder without taught sounds; expected one that `streamer teach "
                "--folder` made, or off"
            )
        return None
    own = load_learner(cache)
    model = own.model({label: own.examples(recordings) for label, recordings in store.all()})
    return model, own.ear


def _ear_of(manifest: Manifest, folder: Path, cache: ModelCache) -> SteppedModel | None:
    """Load the ear of the model in `folder`, if it has one."""
    return cache.model(ear_folder(manifest, folder)) if manifest.ear else None
