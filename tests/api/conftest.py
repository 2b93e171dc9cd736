"""Toy models in the place of the released ones: quick to load, with decisions that are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.custom_sounds.toy_background import write_toy_ear_to_teach
from tests.toy_model import write_toy_model


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Release a gate that opens for loud sound and an ear, and nothing else."""
    folder = tmp_path / "released"
    write_toy_model(folder / "gate")
    write_toy_ear_to_teach(folder / "ear")
    monkeypatch.setattr("streamer.inference.model_folders.released_folder", lambda: folder)
    return folder
