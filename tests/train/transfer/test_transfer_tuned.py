"""Fine-tuning YAMNet on everyday sounds."""

import dataclasses

import numpy as np
import pytest
import torch

from models.yamnet import SlidingYAMNet
from streamer.errors import ConfigError
from streamer.inference.onnx import OnnxModel
from tests.train.toy_data import make_toy_data
from tests.train.toy_yamnet import write_yamnet
from train.data.cache import SoundCache
from train.data.sets import esc50
from train.loop.config import read_config
from train.loop.registry import Evaluation, find_plugin
from train.loop.run import write_config
from train.loop.task import LoopConfig
from train.loop.train_loop import train
from train.mixing.patch_embeddings import TRAININGS, embed_recordings
from train.transfer.classifiers import logistic_regression
from train.transfer.tuned import TunedRunConfig, TunedTask, tuned_network
from train.transfer.tuned_release import PLUGIN

LOOP = LoopConfig(steps=2, batch=4, learning_rate=1e-3, validate_every=2, workers=0, device="cpu")
CONFIG = TunedRunConfig(loop=LOOP, patches=1, hop_frames=48)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    write_yamnet(root)
    return root


@pytest.fixture(scope="module")
def task(data):
    return TunedTask(CONFIG, data, data / "cache")


@pytest.fixture(scope="module")
def run(data, task, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_config(folder, CONFIG)
    train(task, LOOP, folder)
    return folder


def test_it_starts_from_the_regression_on_the_frozen_embedding(data, task):
    sounds = SoundCache(esc50.recordings(data), data / "cache")
    heard = embed_recordings(sounds, data / TRAININGS["lite"], data / "cache")
    mean = np.stack([heard.embedding[heard.recording == n].mean(axis=0) for n in range(len(sounds))])
    learnt = sounds.where(lambda clip: clip.fold != 5)
    held = sounds.where(lambda clip: clip.fold == 5)
    labels = np.array([task.classes.index(clip.category) for clip in sounds.recordings])
    regression = logistic_regression().fit(mean[learnt], labels[learnt])
    network = task.make_model().eval()
    said = mean[held] @ network.logits.weight.detach().numpy().T + network.logits.bias.detach().numpy()
    expected = regression.decision_function(mean[held])  # of two classes: the difference
    np.testing.assert_allclose(said[:, 1] - said[:, 0], expected, rtol=1e-3, atol=1e-4)


def test_all_of_yamnet_learns_and_the_test_fold_is_never_opened(run, task, data):
    before = task.make_model().state_dict()
    after = torch.load(run / "best.pt", weights_only=True)["weights"]
    assert after.keys() == before.keys()
    assert all(not torch.equal(after[name], before[name]) for name in before)
    assert {clip.fold for clip in (*task._learnt.recordings, *task._checked.recordings)} == {1, 2, 3, 4}


def test_batches_are_seeded_and_deal_every_clip_once_a_round(task):
    frames, targets = task.make_batch(1, 3, 4)
    again, _ = task.make_batch(1, 3, 4)
    torch.testing.assert_close(frames, again, rtol=0, atol=0)
    assert frames.shape == (4, 96, 64)
    assert targets.shape == (4, 2)
    torch.testing.assert_close(targets.sum(1), torch.ones(4))
    assert sorted(task._dealt(1, number) for number in range(8)) == list(range(8))
    assert [task._dealt(1, n) for n in range(8)] != [task._dealt(1, n) for n in range(8, 16)]


def test_a_crop_holds_some_of_what_sounds(task):
    frames = np.full((498, 64), -6.9, np.float32)
    frames[300:310] = 0.0
    for seed in range(20):
        assert task._crop(np.random.default_rng(seed), frames).max() == 0.0
    short = task._crop(np.random.default_rng(0), frames[290:320])
    assert short.shape == (96, 64)


def test_validation_tells_accuracy_and_a_finite_score(task):
    figures = task.validate(task.make_model().eval())
    assert figures["accuracy"] == 1.0  # the regression has learnt the fold that it is validated on
    assert -1.0 < figures["score"] <= 0.0


def test_an_exported_run_listens_as_the_network_does(run, task, data, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_DATA", str(data))
    folder = tmp_path / "mine"
    manifest = PLUGIN.release(run, data, tmp_path).export(folder)
    assert (manifest.task, manifest.labels, manifest.exclusive) == ("sounds", ("church_bells", "dog"), True)
    assert [one["name"] for one in manifest.trained_on] == ["AudioSet", "ESC-50"]
    network = tuned_network(6.0, 2)
    network.load_state_dict(torch.load(run / "best.pt", weights_only=True)["weights"])
    frames = task._checked.frames(0)[None, :480]
    with torch.no_grad():
        logits, _ = SlidingYAMNet(network.eval(), 48)(torch.from_numpy(frames))
    model = OnnxModel(folder)
    scores, _ = model.step(frames, model.init(1))
    np.testing.assert_allclose(scores, torch.softmax(logits, dim=-1), atol=1e-4)


def test_an_exported_run_is_measured_on_the_clips_of_the_test_fold(run, data, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_DATA", str(data))
    PLUGIN.release(run, data, tmp_path).export(tmp_path / "mine")
    figures = PLUGIN.evaluate(Evaluation(tmp_path / "mine", CONFIG, "test", data, tmp_path / "cache"))
    assert set(figures) == {"clips", "heard", "worst", "confused"}
    assert figures["clips"]["clips"] == sum(clip.fold == CONFIG.fold for clip in esc50.recordings(data))


def test_neither_release_nor_export_puts_it_among_what_ships(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = r"weights fine-tuned from YAMNet do not ship.* python -m train export sounds_yamnet --out FOLDER"
    with pytest.raises(ConfigError, match=said):
        PLUGIN.release(run, tmp_path, tmp_path).release(tmp_path / "released")
    with pytest.raises(ConfigError, match=said):
        PLUGIN.release(run, tmp_path, tmp_path).export(tmp_path / "models" / "released" / "sounds")
    assert list(tmp_path.iterdir()) == []


def test_the_registry_knows_it():
    assert find_plugin("sounds_yamnet") is PLUGIN


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fold": 6}, "fold is 6, validation_fold 0; expected two of 1 to 5"),
        ({"fold": 2, "validation_fold": 2}, "fold is 2, validation_fold 2; expected two of 1 to 5"),
        ({"weights": "best"}, "weights is 'best'; expected one of hub, lite"),
        ({"hop_frames": 96}, "hop_frames is 96 and patches is 2; expected 1 to 95"),
        ({"patches": 0}, "hop_frames is 48 and patches is 0; expected 1 to 95, and 1 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, said):
    with pytest.raises(ConfigError, match=said):
        TunedRunConfig(**changes)


def test_a_run_is_read_as_it_was_written(tmp_path):
    write_config(tmp_path, CONFIG)
    assert read_config(TunedRunConfig, tmp_path / "config.json") == CONFIG


def test_a_class_without_clips_is_refused(data, monkeypatch):
    some = [clip for clip in esc50.recordings(data) if clip.category == "dog"]
    monkeypatch.setattr(esc50, "classes", lambda root: ("church_bells", "dog"))
    monkeypatch.setattr(esc50, "recordings", lambda root: some)
    with pytest.raises(ConfigError, match="esc50 has no clips of church_bells"):
        TunedTask(dataclasses.replace(CONFIG, weights="hub"), data, data / "cache")
