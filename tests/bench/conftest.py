"""Toy models that are measured in the place of real ones."""

from __future__ import annotations

import pytest

from streamer.config_sections import ModelsConfig
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> ModelsConfig:
    """A gate, sounds on an ear, and genre behind the gate."""
    folder = tmp_path_factory.mktemp("toys")
    ear = write_toy_ear(folder / "ear")
    return ModelsConfig(
        {
            "gate": str(write_toy_model(folder / "gate")),
            "sounds": str(write_toy_head(folder / "sounds", ear, "sounds")),
            "genre": str(write_toy_head(folder / "genre", ear, "genre", exclusive=True)),
        }
    )
