"""Which heads listen: what the configuration names, and what is released."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamer.config import Config, DecisionConfig
from streamer.custom_sounds.learner import learner
from streamer.custom_sounds.store import SoundStore, taught_folder
from streamer.errors import ModelError
from streamer.heads.head import Head
from streamer.inference.manifest import Manifest
from streamer.inference.model_cache import ModelCache, chosen_folder
from streamer.inference.model_folders import ear_folder
from streamer.inference.onnx import OnnxModel
from streamer.inference.stepped_model import SteppedModel


@dataclass(frozen=True)
class _Place:
    """Where a model may listen.

    Attributes
    ----------
    name : str
        Its key in ``[models]``, its section, and the task of its model.
    kind : str
        Of its decisions.
    opened_by : str or None
        The place whose model is its gate; where none listens there, it runs always.
    """

    name: str
    kind: str
    opened_by: str | None = None


_PLACES = (_Place("gate", "gate"), _Place("sounds", "sound"), _Place("genre", "genre", opened_by="gate"))
"""What listens, in the order in which it is told."""


def heads_of(config: Config, loaded: ModelCache) -> tuple[Head, ...]:
    """The heads of a configuration.

    Parameters
    ----------
    config : Config
    loaded : ModelCache
        Where models come from, and go that it does not have yet.

    Raises
    ------
    ModelError
        If one is absent, altered or does not fit, or decides something else.
    ConfigError
        If the thresholds that are set do not go with the model's.
    """
    models = config.models
    named = {place: chosen_folder(place.name, getattr(models, place.name)) for place in _PLACES}
    folders = {place: folder for place, folder in named.items() if folder}
    listening = {place.name for place in folders}
    heads = []
    for place, folder in folders.items():
        model = loaded.for_place(place.name, folder)
        heads.append(
            Head(
                place.name,
                place.kind,
                model,
                decisions=getattr(config, place.name),
                ear=_ear_of(model.manifest, folder, loaded),
                prefer=models.prefer,
                opened_by=place.opened_by if place.opened_by in listening else None,
                pre_roll_s=models.pre_roll_s,
            )
        )
    return (*heads, *_taught(config, loaded))


def verified(folder: Path) -> Manifest:
    """The manifest of a model that could listen: it and the ear that it hears are whole, fit each other, and run.

    Raises
    ------
    ModelError
        If it cannot.
    """
    model = OnnxModel(folder)
    manifest = model.manifest
    if not manifest.is_ear:
        # A head is not made of what does not fit.
        Head(
            manifest.task, manifest.task, model, DecisionConfig(), ear=_ear_of(manifest, folder, ModelCache())
        )
    return manifest


def _taught(config: Config, loaded: ModelCache) -> list[Head]:
    """The head of what the user taught, if there is anything."""
    named = config.models.taught
    if named in {"", "off"}:
        return []
    store = SoundStore(Path(named) if named else taught_folder())
    if not store.labels():
        if named:
            raise ModelError(
                f"[models] taught is {named!r}, a folder without taught sounds; expected one that `streamer teach "
                "--folder` made, or off"
            )
        return []
    own = learner(loaded)
    return [
        Head(
            "taught",
            "taught",
            own.model({label: own.examples(recordings) for label, recordings in store.all()}),
            decisions=config.taught,
            ear=own.ear,
            prefer=config.models.prefer,
        )
    ]


def _ear_of(manifest: Manifest, folder: Path, loaded: ModelCache) -> SteppedModel | None:
    """The ear that a model hears."""
    return loaded.model(ear_folder(manifest, folder)) if manifest.ear else None
