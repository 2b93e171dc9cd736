"""The model for a place where one may listen: which it is, and that it does what is done there."""

from __future__ import annotations

from pathlib import Path

from streamer.config import EngineConfig
from streamer.errors import ModelError
from streamer.inference.backends import open_model
from streamer.inference.model_folders import find_model, released_folders
from streamer.inference.stepped_model import SteppedModel


def chosen_folder(place: str, name: str | None) -> Path | None:
    """Folder of the model for a place: the one that is named, or else the released one, if there is one.

    Parameters
    ----------
    place : str
        Key in ``[models]``, which is also the name of the released model.
    name : str or None
        As in ``[models]``: a model's name or folder; ``off`` or nothing for none; None for the released one.

    Raises
    ------
    ModelError
        If none has that name.
    """
    if name is None:
        name = place if place in {folder.name for folder in released_folders()} else "off"
    return None if name in {"", "off"} else find_model(name)


class ModelCache:
    """Models that were loaded, each once: streams that name the same one step it together.

    Parameters
    ----------
    engine : EngineConfig
        Says what runs them.
    """

    def __init__(self, engine: EngineConfig = EngineConfig()) -> None:
        self._engine = engine
        self._models: dict[Path, SteppedModel] = {}

    def model(self, folder: Path) -> SteppedModel:
        """The model of a folder.

        Raises
        ------
        ModelError
            If it is absent, altered or does not fit.
        """
        if folder not in self._models:
            self._models[folder] = open_model(folder, self._engine)
        return self._models[folder]

    def for_place(self, place: str, folder: Path) -> SteppedModel:
        """The model for a place.

        Raises
        ------
        ModelError
            As `model`, or if it does something else.
        """
        model = self.model(folder)
        if model.manifest.task != place:
            raise ModelError(
                f"model {model.manifest.name} decides {model.manifest.task!r}; expected a model whose task is "
                f"{place!r}: `streamer models list` has those there are, --model and [models] {place} name one"
            )
        return model
