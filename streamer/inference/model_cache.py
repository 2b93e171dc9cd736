"""Load the model configured for a slot, each model once, and check its task."""

from __future__ import annotations

from pathlib import Path

from streamer.config_sections import EngineConfig
from streamer.inference.model_folders import find_model, released_folders
from streamer.inference.open_model import open_model
from streamer.inference.stepped_model import SteppedModel


def chosen_folder(slot: str, name: str | None) -> Path | None:
    """Return the folder of the model for a head slot: of the model `name`, or of the released one if that is None.

    Parameters
    ----------
    slot : str
        Name of the head slot, which is its key in ``[models]`` and the name of its released model.
    name : str or None
        Value in ``[models]``: a model's name or folder, ``off`` or an empty text for no model, or None if the key is
        not set.

    Returns
    -------
    Path or None
        None if the slot is to stay empty, or has no released model.

    Raises
    ------
    ModelError
        If no model has that name.
    """
    if name is None:
        name = slot if slot in {folder.name for folder in released_folders()} else "off"
    return None if name in {"", "off"} else find_model(name)


class ModelCache:
    """Loads each model once, so that streams that name the same model share it and step in one batch.

    Parameters
    ----------
    engine : EngineConfig
        Settings that name the backend and the number of threads.
    """

    def __init__(self, engine: EngineConfig = EngineConfig()) -> None:  # noqa: B008 - it is frozen
        self._engine = engine
        self._models: dict[Path, SteppedModel] = {}

    def model(self, folder: Path) -> SteppedModel:
        """Return the model of a folder; load it if that was not done before.

        Raises
        ------
        ModelError
            If the model is absent, altered or does not fit this version.
        """
        if folder not in self._models:
            self._models[folder] = open_model(folder, self._engine)
        return self._models[folder]

    def for_slot(self, slot: str, folder: Path) -> SteppedModel:
        """Return the model of a folder, as `model` does, and check that it is for the head slot `slot`.

        Raises
        ------
        ModelError
            If the model is absent, altered, does not fit this version, or has no labels for the slot.
        """
        model = self.model(folder)
        model.manifest.for_slot(slot)
        return model
