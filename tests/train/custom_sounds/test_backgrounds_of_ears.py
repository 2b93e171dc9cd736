"""Which folds a background and its thresholds come from follows from what the ear held out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from streamer.custom_sounds.background import Background, read_background
from streamer.custom_sounds.embedder import Embedder
from streamer.errors import ConfigError
from streamer.inference.model_folders import read_manifest
from tests.toy_model import write_toy_ear
from tests.train.custom_sounds.test_trials import made_clips
from train.__main__ import main
from train.custom_sounds import background, few_shot
from train.custom_sounds.trials import EmbeddedClip

LEARNT, CHECKED, ALL = (1, 2, 3), (4,), (1, 2, 3, 4, 5)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The folds whose clips are embedded, in turn; each group has clips of its own."""
    folds_heard: list[tuple[int, ...]] = []

    def embed(embedder: Embedder, data: Path, cache: Path, folds: Sequence[int]) -> list[EmbeddedClip]:
        folds_heard.append(tuple(folds))
        return made_clips(seed=len(folds), spread=2.0)

    for module in (background, few_shot):
        monkeypatch.setattr(module, "embed_clips", embed)
    return folds_heard


def ear(folder: Path, fold: int, validation_fold: int, **results: Any) -> Path:
    """Write an ear that held out some folds, with these results besides."""
    write_toy_ear(folder)
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["results"] = {"held out": {"fold": fold, "validation_fold": validation_fold}, **results}
    path.write_text(json.dumps(content))
    return folder


def measured(folder: Path, by: Path) -> Path:
    """Write an ear that learnt from all folds and was measured by another."""
    return ear(folder, 0, 0, **{"measured by": {"models": [read_manifest(by).sha256]}})


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def background_of(folder: Path) -> Background:
    return read_background(folder, read_manifest(folder))


def test_thresholds_come_from_the_fold_that_the_ear_was_chosen_by(
    tmp_path: Path, heard: list[tuple[int, ...]]
) -> None:
    done = run("background", "--model", ear(tmp_path / "ear", 5, 4))
    assert done.exit_code == 0, done.output
    assert heard == [LEARNT, CHECKED]
    assert "impostors; on/off balanced 0.5" in done.output


def test_an_ear_of_all_folds_has_the_scale_of_the_one_that_measured_it(
    tmp_path: Path, heard: list[tuple[int, ...]]
) -> None:
    held_out = ear(tmp_path / "held_out", 5, 4)
    whole = measured(tmp_path / "whole", by=held_out)
    done = run("background", "--model", whole, "--measured-by", held_out)
    assert done.exit_code == 0, done.output
    assert heard == [LEARNT, CHECKED, ALL]
    own, scaled = background_of(whole), background_of(held_out)
    assert (own.slope, own.offset, own.operating_points) == (
        scaled.slope,
        scaled.offset,
        scaled.operating_points,
    )
    assert not np.array_equal(own.mean, scaled.mean)
    assert own.projection.shape == scaled.projection.shape


def test_thresholds_of_another_ear_are_refused(tmp_path: Path, heard: list[tuple[int, ...]]) -> None:
    held_out = ear(tmp_path / "held_out", 5, 4)
    whole = ear(tmp_path / "whole", 0, 0, **{"measured by": {"models": ["0" * 64]}})
    done = run("background", "--model", whole, "--measured-by", held_out)
    assert "whole was not measured by" in done.output
    assert "expected the release of the run that `release ear` was given as --measured-by" in done.output
    assert (heard, done.exit_code) == ([], ConfigError.exit_code)


def test_what_an_ear_held_out_decides_whether_another_is_named(
    tmp_path: Path, heard: list[tuple[int, ...]]
) -> None:
    held_out = ear(tmp_path / "held_out", 5, 4)
    whole = measured(tmp_path / "whole", by=held_out)
    assert (
        "whole learnt from all folds; expected --measured-by FOLDER"
        in run("background", "--model", whole).output
    )
    done = run("background", "--model", held_out, "--measured-by", held_out)
    assert "held_out held out folds itself; expected no --measured-by" in done.output
    unsaid = write_toy_ear(tmp_path / "unsaid")
    assert "unsaid does not say which folds its ear held out" in run("background", "--model", unsaid).output
    assert heard == []


def test_figures_of_teaching_are_of_the_ears_test_fold(tmp_path: Path, heard: list[tuple[int, ...]]) -> None:
    held_out = ear(tmp_path / "held_out", 3, 4)
    run("background", "--model", held_out)
    heard.clear()
    done = run("few-shot", "--model", held_out)
    assert done.exit_code == 0, done.output
    assert heard == [(3,)]
    done = run("few-shot", "--model", measured(tmp_path / "whole", by=held_out))
    assert (
        "whole learnt from all folds, so nothing is left to measure it on; expected --model FOLDER"
        in done.output
    )
