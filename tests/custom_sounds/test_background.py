"""The background of an ear: written, read, refused, and comparisons by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.custom_sounds.background import FILE, digest, read_background
from streamer.errors import ModelError
from streamer.inference.model_folders import read_manifest
from tests.custom_sounds.toy_background import POINTS, toy_background, write_toy_ear_to_teach
from tests.toy_model import BANDS, write_toy_ear


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_ear_to_teach(tmp_path / "ear")


def test_what_is_written_is_read(folder: Path) -> None:
    ear = read_manifest(folder)
    written, found = toy_background(ear.sha256), read_background(folder, ear)
    assert digest(found) == digest(written)
    assert found.operating_points == POINTS
    assert digest(replace(found, window_steps=6)) != digest(found)


def test_an_ear_without_a_background_cannot_be_taught_on(tmp_path: Path) -> None:
    folder = write_toy_ear(tmp_path / "ear")
    with pytest.raises(
        ModelError,
        match=r"ear ear has no .*background\.npz \(No such file.*python -m train background",
    ):
        read_background(folder, read_manifest(folder))


def test_a_background_of_another_ear_is_refused(folder: Path) -> None:
    toy_background("0" * 64).write(folder)
    with pytest.raises(ModelError, match=r"is of the ear 000000000000 and lies beside [0-9a-f]{12}; install"):
        read_background(folder, read_manifest(folder))


def test_a_background_of_another_size_is_refused(folder: Path) -> None:
    ear = read_manifest(folder)
    wide = replace(toy_background(ear.sha256), mean=np.zeros(5), projection=np.eye(5)[:, : len(BANDS)])
    wide.write(folder)
    with pytest.raises(ModelError, match=r"has 5 numbers an embedding, the ear has 4; install"):
        read_background(folder, ear)


@pytest.mark.parametrize("kept", [0, 100, 2_000])
def test_a_damaged_background_is_refused(folder: Path, kept: int) -> None:
    path = folder / FILE
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"background\.npz is damaged \(.*install streamer again"):
        read_background(folder, read_manifest(folder))


@pytest.mark.parametrize(
    "wrong",
    [{"mean": np.full(len(BANDS), np.nan)}, {"impostors": np.zeros((3, 2))}, {"mean": np.zeros(3)}],
    ids=["nan", "impostors of another size", "mean of another size"],
)
def test_a_background_that_does_not_fit_itself_is_refused(folder: Path, wrong: dict[str, object]) -> None:
    ear = read_manifest(folder)
    replace(toy_background(ear.sha256), **wrong).write(folder)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"background\.npz is damaged \(ValueError"):
        read_background(folder, ear)


def test_directions_have_length_1_and_do_not_depend_on_their_number() -> None:
    background = toy_background("")
    pooled = np.random.default_rng(2).normal(-5.0, 2.0, (7, len(BANDS))).astype(np.float32)
    together = background.directions(pooled)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, rtol=1e-6)
    assert np.array_equal(together, np.concatenate([background.directions(one[None]) for one in pooled]))


def test_probabilities_are_a_logistic_function_of_similarities() -> None:
    background = toy_background("")
    similarities = np.array([-1.0, 0.0, 0.9, 1.0])
    expected = 1 / (1 + np.exp(-background.slope * similarities - background.offset))
    np.testing.assert_allclose(background.probabilities(similarities), expected, atol=1e-6)
    assert replace(background, slope=1e6, offset=-5e5).probabilities(similarities).tolist() == [
        0.0,
        0.0,
        1.0,
        1.0,
    ]
