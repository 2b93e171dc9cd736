"""Models of 8 bits: they run, say nearly the same, and say what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from streamer.arrays import Array
from streamer.demo_recording import DEMO_PATH
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import find_model, read_manifest
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.build_heads import verify_model
from train.errors import TrainingError
from train.export.quantise import quantise_model

PITCHES_HZ = (220, 440, 1_000, 2_500)
TONES = len(PITCHES_HZ)


@pytest.fixture(scope="module")
def sounds() -> list[Array]:
    """Tones in noise, and pieces of the bundled recording, so that the scales fit more than tones."""
    rng, t = np.random.default_rng(1), np.arange(32_000) / 16_000
    tones = (0.2 * np.sin(2 * np.pi * hz * t) for hz in PITCHES_HZ)
    demo, rate_hz = soundfile.read(DEMO_PATH, dtype="float32", always_2d=True)
    mono = soxr.resample(demo.mean(axis=1), rate_hz, 16_000)
    pieces = mono[: len(mono) // len(t) * len(t)].reshape(-1, len(t))
    return [*((tone + rng.normal(0, 0.02, len(t))).astype(np.float32) for tone in tones), *pieces]


def test_it_says_nearly_the_same_in_a_third_of_the_bytes(sounds: list[Array], tmp_path: Path) -> None:
    (folder,) = quantise_model(find_model("gate"), sounds, tmp_path)
    float32, int8 = OnnxModel(find_model("gate")), OnnxModel(folder)
    assert (int8.manifest.name, int8.manifest.task, int8.manifest.precision) == ("gate_int8", "gate", "int8")
    assert int8.manifest.operating_points == float32.manifest.operating_points
    assert set(int8.manifest.results) <= {"held out"}
    card = (folder / "card.md").read_text()
    assert "`gate` in 8 bits: the weights with a scale per channel" in card
    assert f"calibrated on {len(sounds)} recordings." in card  # the gate learnt from all folds
    assert (folder / "model.onnx").stat().st_size < 0.5 * (find_model("gate") / "model.onnx").stat().st_size
    x = offline(LogMel(float32.manifest.log_mel), np.stack(sounds[:TONES]))
    scores = [model.step(x, model.init(len(x)))[0] for model in (float32, int8)]
    np.testing.assert_allclose(scores[1], scores[0], atol=0.1)
    assert not np.array_equal(scores[1], scores[0])


def test_what_hears_an_ear_hears_the_one_of_8_bits(sounds: list[Array], tmp_path: Path) -> None:
    ear, head = quantise_model(find_model("sounds"), sounds, tmp_path)
    assert [folder.name for folder in (ear, head)] == ["ear_int8", "sounds_int8"]
    assert verify_model(head).ear == read_manifest(ear).as_ear()
    assert (read_manifest(ear).precision, read_manifest(head).precision) == ("int8", "float32")
    assert (head / "model.onnx").read_bytes() == (find_model("sounds") / "model.onnx").read_bytes()
    assert "learnt from all folds, so measure a run with the same settings" in (head / "card.md").read_text()
    card = (ear / "card.md").read_text()
    assert f"calibrated on {len(sounds)} recordings that it did not learn from" in card
    assert "measure this model with `python -m train evaluate TASK --model" in card


def test_a_separation_is_refused(sounds: list[Array], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model separation separates, by layers that are slower in 8 bits"):
        quantise_model(find_model("separation"), sounds, tmp_path)


def test_without_sound_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match="got no sound to calibrate with; expected some: set STREAMER_DATA"
    ):
        quantise_model(find_model("gate"), [], tmp_path)


def test_a_precision_that_is_none_is_refused() -> None:
    content = {**vars(read_manifest(find_model("gate"))), "precision": "int4"}
    with pytest.raises(ValueError, match="precision is 'int4'; expected one of float32, int8"):
        Manifest(**content)
