"""Load the model configured for a slot, each model once, and check its task."""

from __future__ import annotations

from pathlib import Path

from streamer.config import EngineConfig
from streamer.errors import ModelError
from streamer.inference.model_folders import find_model, released_folders
from streamer.inference.open_model import open_model
from streamer.inference.stepped_model import SteppedModel


def chosen_folder(slot: str, name: str | None) -> Path | None:
    """Return the folder of the model for a slot: the one that is named or, without a name, the released one.

    Parameters
    ----------
    slot : str
        Key in ``[models]``, which is also the name of the released model.
    name : str or None
        Value in ``[models]``: a model's name or folder, ``off`` or an empty text for no model, or None if the key is
        not set.

    Returns
    -------
    Path or None
        None if the slot is to have no model, or has no released one.

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
        Names the backend that runs the models.
    """

    def __init__(self, engine: EngineConfig = EngineConfig()) -> None:
        self._engine = engine
        self._models: dict[Path, SteppedModel] = {}

    def model(self, folder: Path) -> SteppedModel:
        """Return the model of a folder, loaded if it was not yet.

        Raises
        ------
        ModelError
            If it is absent, altered or does not fit this program.
        """
        if folder not in self._models:
            self._models[folder] = open_model(folder, self._engine)
        return self._models[folder]

    def for_slot(self, slot: str, folder: Path) -> SteppedModel:
        """Return the model for a slot.

        Raises
        ------
        ModelError
            If `model` raises it, or the model's task is not the slot's.
        """
        model = self.model(folder)
        if model.manifest.task != slot:
            raise ModelError(
                f"model {model.manifest.name} decides {model.manifest.task!r}; expected a model whose task is "
                f"{slot!r}: `streamer models list` has those there are, --model and [models] {slot} name one"
            )
        return model
