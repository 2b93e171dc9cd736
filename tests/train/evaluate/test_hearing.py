"""What is said of collections: shares of time, starts, and the labels of named clips."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.heads.label_choice import choose_labels
from streamer.inference.onnx import OnnxModel
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model
from train.data.recordings import Recording
from train.evaluate.hearing import Heard, hearing_command
from train.evaluate.listeners import HeadListener

RATE_HZ = 16_000


@pytest.fixture
def head(tmp_path) -> Head:
    """A toy gate whose label `loud` is on while noise sounds."""
    model = OnnxModel(write_toy_model(tmp_path / "toy"))
    return Head("gate", "gate", model, DecisionConfig(min_on_ms=100, min_off_ms=100))


def noise(seconds: float) -> np.ndarray:
    samples = np.random.default_rng(0).standard_normal(round(seconds * RATE_HZ))
    return (0.2 * samples).astype(np.float32)


def recording(category: str = "noise") -> Recording:
    return Recording("toys", "a", (), "music", category, 1)


def test_the_share_of_time_is_of_what_can_be_heard(head):
    heard = Heard()
    silent = np.zeros(4 * RATE_HZ, np.float32)
    heard.add(recording(), HeadListener(head), np.concatenate([noise(4.0), silent]))
    heard.add(recording(), HeadListener(head), noise(4.0))
    found = heard.figures(head.manifest.labels)
    assert found["clips"] == 2
    assert found["loud"] > 0.9  # the silence is not counted, nor the first half second
    assert found["hours"] == pytest.approx(7.3 / 3600, abs=0.0001)  # 0.3 s of silence are near the noise
    assert found["loud starts an hour"] == pytest.approx(2 / (7.3 / 3600), rel=0.05)


def test_a_clip_named_like_a_label_is_right_if_that_label_has_the_highest_score(tmp_path):
    """A toy head of four bands hears which is the loudest; the hum is in the lowest."""
    ear = write_toy_ear(tmp_path / "ear")
    bands = OnnxModel(write_toy_head(tmp_path / "sounds", ear, "sounds"))
    head = Head("sounds", "sound", bands, DecisionConfig(min_on_ms=80, min_off_ms=80), OnnxModel(ear))
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    hum = (0.3 * np.sin(2 * np.pi * 300 * t)).astype(np.float32)
    lowest, *_, highest = head.manifest.labels
    heard = Heard()
    for category in (lowest, highest, "no label"):
        heard.add(recording(category), HeadListener(head), hum)
    assert (heard.clips, heard.named, heard.right) == (3, 2, 1)
    found = heard.figures(head.manifest.labels)
    assert found["named right"] == 0.5
    assert found["most often"] == {lowest: 3}
    assert found["most often wrong"] == {lowest: 2}
    assert found["wrong labels an hour"] == pytest.approx(found["labels an hour"] * 2 / 3, rel=0.01)


def test_a_gate_of_three_labels_is_measured_by_each_of_them(tmp_path):
    """The toy gate tells which quarters of the bands are loud: high noise is not low."""
    ear = write_toy_ear(tmp_path / "ear")
    bands = OnnxModel(write_toy_head(tmp_path / "gate", ear, "gate"))
    settings = DecisionConfig(labels=("low", "middle", "top"), min_on_ms=80, min_off_ms=80)
    choice = choose_labels("gate", "gate", bands.manifest, settings)
    own_kinds = ("middle", "top")
    head = Head("gate", "gate", bands, settings, OnnxModel(ear), choice=choice, own_kinds=own_kinds)
    spectrum = np.fft.rfft(noise(2.0))
    spectrum[: len(spectrum) // 2] = 0  # below 4 kHz
    heard = Heard()
    heard.add(recording(), HeadListener(head), np.fft.irfft(spectrum).astype(np.float32))
    found = heard.figures(head.manifest.labels)
    assert (found["low"], found["low starts an hour"]) == (0.0, 0.0)
    assert found["top"] > 0.9
    assert found["top starts an hour"] == pytest.approx(1 / (1.5 / 3600), rel=0.05)
    assert "middle" in found


def test_the_command_measures_a_collection(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "instruments"
    folder.mkdir(parents=True)
    soundfile.write(folder / "a.wav", noise(3.0), RATE_HZ)
    soundfile.write(folder / "short.wav", noise(0.5), RATE_HZ)
    (folder / "labels.csv").write_text("file,instrument\na.wav,Hum\nshort.wav,Hum\n")
    toy = write_toy_model(tmp_path / "toy")
    monkeypatch.setenv("STREAMER_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        hearing_command,
        ["--gate", str(toy), "--sounds", "off", "--on", "instruments"],
        catch_exceptions=False,
    )
    found = json.loads(done.stdout)
    assert list(found) == ["gate"]
    assert found["gate"]["instruments, music"]["clips"] == 1
    assert found["gate"]["instruments, music"]["loud"] > 0.9
