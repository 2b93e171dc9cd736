"""An ear is measured on ESC-50's held-out fold, and on collections that it has not learnt from."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.toy_model import write_toy_ear
from tests.train.toy_data import make_toy_data, write_animals
from train.tasks.ear.config import EarRunConfig
from train.tasks.ear.figures import figures


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    write_animals(root, takes=1)
    return root


def test_recordings_of_the_classes_in_other_collections_are_named_by_the_same_probe(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    ear, config = write_toy_ear(tmp_path / "ear"), EarRunConfig()
    found = figures(ear, config, data, tmp_path / "cache", "test")
    assert found["probe"]["clips"] == 2  # the dog and the bells of the test fold
    others = found["other collections"]
    assert set(others) == {"what", "animals"}
    assert others["animals"]["clips"] == 10  # dogs; lions are no class of ESC-50
    assert 0 <= others["animals"]["accuracy"] <= 1
    assert "babies is not measured: " in caplog.text

    learnt = replace(config, further_data=("animals",))
    assert set(figures(ear, learnt, data, tmp_path / "cache", "test")["other collections"]) == {"what"}
