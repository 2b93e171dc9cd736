"""Learning from recordings: those that are refused, and the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.custom_sounds.background import read_background
from streamer.custom_sounds.learner import SoundLearner, UnlearnableError
from streamer.custom_sounds.report import report
from streamer.custom_sounds.store import SoundStore, as_kept
from streamer.inference.onnx import OnnxModel
from tests.custom_sounds.toy_background import HIGH_HZ, LOW_HZ, RATE_HZ, tone, write_toy_ear_to_teach


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> SoundLearner:
    folder = write_toy_ear_to_teach(tmp_path_factory.mktemp("models") / "ear")
    ear = OnnxModel(folder)
    return SoundLearner(ear, read_background(folder, ear.manifest))


@pytest.fixture
def store(tmp_path: Path) -> SoundStore:
    return SoundStore(tmp_path / "taught")


def add(store: SoundStore, label: str, **sounds: Array) -> None:
    for name, sound in sounds.items():
        store.add(label, name, as_kept(sound), RATE_HZ)


def test_pauses_do_not_count(learner: SoundLearner) -> None:
    sound = tone(LOW_HZ)
    with_pauses = np.concatenate([np.zeros(32_000, np.float32), sound, np.zeros(48_000, np.float32)])
    np.testing.assert_allclose(learner.example(with_pauses), learner.example(sound), atol=0.02)


@pytest.mark.parametrize(
    ("sound", "match"),
    [
        (np.zeros(0, np.float32), r"it lasts 0\.00 s; expected at least 0\.5 s"),
        (tone(LOW_HZ, seconds=0.49), r"it lasts 0\.49 s; expected at least 0\.5 s: record the whole sound"),
        (
            np.zeros(16_000, np.float32),
            r"it is silent \(its loudest moment has -120 dBFS\); expected -60 dBFS",
        ),
        (tone(LOW_HZ, level=1e-4), r"it is silent \(its loudest moment has -7\d dBFS\)"),
    ],
    ids=["empty", "short", "silent", "soft"],
)
def test_what_nothing_can_be_learnt_from(learner: SoundLearner, sound: Array, match: str) -> None:
    with pytest.raises(UnlearnableError, match=match):
        learner.check(sound)


def test_what_everything_resembles_is_refused(learner: SoundLearner) -> None:
    example = learner.example(tone(LOW_HZ))
    same = np.tile(example, (20, 1)).astype(np.float16)  # impostors that are the very sound
    impostors = np.concatenate([learner.background.impostors[:80], same])
    alike = SoundLearner(learner.ear, replace(learner.background, impostors=impostors))
    with pytest.raises(
        UnlearnableError, match=r"hardly differs from other sounds \(20% of all kinds of sound would"
    ):
        alike.check(tone(LOW_HZ))
    learner.check(tone(LOW_HZ))


def test_one_recording_is_reported_without_a_warning(learner: SoundLearner, store: SoundStore) -> None:
    add(store, "hum", a=tone(LOW_HZ))
    (line,) = report("hum", store, learner).lines()
    assert line.startswith("hum: learnt from 1 recording, 2.0 s; ")
    assert line.endswith("% of other sounds would be taken for it")


def test_recordings_that_are_unlike_are_named(learner: SoundLearner, store: SoundStore) -> None:
    add(store, "hum", a=tone(LOW_HZ), b=tone(LOW_HZ + 30), c=tone(HIGH_HZ))
    found = report("hum", store, learner)
    assert (found.recordings, found.outliers, found.alike) == (3, ("c",), ())
    assert "warning: unlike the other recordings of 'hum': c; " in found.lines()[1]


def test_two_recordings_that_are_unlike_are_said_to_be_so(learner: SoundLearner, store: SoundStore) -> None:
    add(store, "hum", a=tone(LOW_HZ), b=tone(HIGH_HZ))
    found = report("hum", store, learner)
    assert found.outliers == ("a", "b")
    assert "warning: the recordings of 'hum' are unlike each other: a, b; " in found.lines()[1]


def test_a_label_that_sounds_like_another_is_named(learner: SoundLearner, store: SoundStore) -> None:
    add(store, "hum", a=tone(LOW_HZ))
    add(store, "whistle", a=tone(HIGH_HZ))
    add(store, "buzz", a=tone(LOW_HZ + 20))
    found = report("buzz", store, learner)
    assert found.alike == ("hum",)
    assert "warning: 'buzz' and 'hum' sound alike" in found.lines()[1]
