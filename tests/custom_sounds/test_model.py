"""The model of taught sounds: the contract of a stage, its manifest, and its scores."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.custom_sounds.background import read_background
from streamer.custom_sounds.learner import SoundLearner
from streamer.custom_sounds.model import TaughtModel
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Chain, offline
from streamer.inference.onnx import OnnxModel
from tests.contract import check_stage
from tests.custom_sounds.toy_background import HIGH_HZ, LOW_HZ, POINTS, tone, write_toy_ear_to_teach
from tests.toy_model import BANDS


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> SoundLearner:
    folder = write_toy_ear_to_teach(tmp_path_factory.mktemp("models") / "ear")
    ear = OnnxModel(folder)
    return SoundLearner(ear, read_background(folder, ear.manifest))


@pytest.fixture(scope="module")
def model(learner: SoundLearner) -> TaughtModel:
    examples = {
        "hum": np.stack([learner.example(tone(LOW_HZ)), learner.example(tone(LOW_HZ + 50))]),
        "whistle": learner.example(tone(HIGH_HZ))[None],
    }
    return learner.model(examples)


def test_the_model_keeps_the_contract_to_the_bit(model: TaughtModel) -> None:
    x = np.random.default_rng(0).normal(-5.0, 0.1, (2, 40, len(BANDS))).astype(np.float32)
    check_stage(model, x)


def test_the_manifest_names_labels_ear_and_points(learner: SoundLearner, model: TaughtModel) -> None:
    manifest = model.manifest
    assert (manifest.name, manifest.labels, manifest.exclusive) == ("taught", ("hum", "whistle"), False)
    assert manifest.ear == learner.ear.manifest.as_ear()
    assert manifest.thresholds("precision") == (POINTS["precision"],) * 2
    assert manifest.warm_up_frames == 5


def test_what_was_taught_changes_the_hash(learner: SoundLearner, model: TaughtModel) -> None:
    hum = learner.example(tone(LOW_HZ))[None]
    hashes = {learner.model({label: hum}).manifest.sha256 for label in ("hum", "buzz")}
    assert len(hashes | {model.manifest.sha256}) == 3


def heard(learner: SoundLearner, model: TaughtModel, sound: Array) -> Array:
    chain = Chain(LogMel(learner.ear.manifest.front_end), learner.ear, model)
    return offline(chain, np.concatenate([np.zeros(16_000, np.float32), sound])[None])[0]


def test_each_sound_is_told_from_the_other_and_from_silence(
    learner: SoundLearner, model: TaughtModel
) -> None:
    on = POINTS["balanced"].on
    for sound, own in ((tone(LOW_HZ + 20), 0), (tone(HIGH_HZ - 100), 1)):
        scores = heard(learner, model, sound)
        assert scores.shape[1] == 2
        assert scores[-5:, own].min() >= on
        assert scores[:, 1 - own].max() < on
        assert scores[:10].max() < on


def test_a_label_is_the_mean_of_its_examples(learner: SoundLearner) -> None:
    low, high = learner.example(tone(LOW_HZ)), learner.example(tone(HIGH_HZ))
    similar = learner.model({"both": np.stack([low, high])}).similarities(np.stack([low, high]))
    np.testing.assert_allclose(similar[:, 0], np.sqrt((1 + low @ high) / 2), rtol=1e-5)


def test_batches_and_single_directions_are_scored_alike(learner: SoundLearner, model: TaughtModel) -> None:
    directions = learner.background.impostors[:6].astype(np.float32)
    one_by_one = np.stack([model.scores(direction) for direction in directions])
    assert np.array_equal(model.scores(directions.reshape(2, 3, -1)).reshape(6, -1), one_by_one)
