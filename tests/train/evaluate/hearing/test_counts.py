"""What is said of collections: shares of time, starts, and the labels of named clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.heads.label_choice import choose_labels
from streamer.inference.onnx import OnnxModel
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model
from train.data.recordings import Recording
from train.evaluate.hearing.counts import Heard
from train.evaluate.hearing.listeners import HeadListener

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


def test_a_listener_learnt_from_what_its_head_and_its_ear_did_and_from_what_those_are_part_of(tmp_path):
    ear = OnnxModel(write_toy_ear(tmp_path / "ear"))
    bands = OnnxModel(write_toy_head(tmp_path / "sounds", tmp_path / "ear", "sounds"))
    for model, name in ((ear, "ESC-10"), (bands, "PJS corpus")):
        model.manifest = replace(model.manifest, trained_on=({"name": name, "licence": "any"},))
    head = Head("sounds", "sound", bands, DecisionConfig(), ear)
    assert HeadListener(head).learnt_from == {"esc10", "esc50", "pjs"}


def hear(heard: Heard, head: Head, sound: np.ndarray, category: str = "noise") -> None:
    listener = HeadListener(head)
    heard.add(recording(category), sound, listener.decide(sound), listener.labels)


def test_the_share_of_time_is_of_what_can_be_heard(head):
    heard = Heard()
    silent = np.zeros(4 * RATE_HZ, np.float32)
    hear(heard, head, np.concatenate([noise(4.0), silent]))
    hear(heard, head, noise(4.0))
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
        hear(heard, head, hum, category)
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
    hear(heard, head, np.fft.irfft(spectrum).astype(np.float32))
    found = heard.figures(head.manifest.labels)
    assert (found["low"], found["low starts an hour"]) == (0.0, 0.0)
    assert found["top"] > 0.9
    assert found["top starts an hour"] == pytest.approx(1 / (1.5 / 3600), rel=0.05)
    assert "middle" in found
