"""Classifiers on YAMNet's frozen embeddings."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from models.yamnet import YAMNet
from streamer.dsp.stage import offline
from streamer.errors import ConfigError, ModelError
from tests.conftest import ROOT
from tests.train.toy_data import make_toy_data
from tests.train.toy_yamnet import write_mels, write_yamnet
from train.data.cache import SoundCache
from train.data.sets import esc50
from train.mixing import patch_embeddings
from train.mixing.distillation.teacher_answers import FRONT_END
from train.mixing.patch_embeddings import TRAININGS, check_all_embedded, embed_recordings, pool_patches
from train.report.results import fill, read
from train.transfer.classifiers import logistic_regression, over_folds, predict_held_out
from train.transfer.command import MEASURES, transfer_command
from train.transfer.genre import mel_statistics
from train.yamnet.npz import read_npz


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    write_yamnet(root)
    write_mels(root)
    return root


@pytest.fixture(scope="module")
def clips(data):
    return SoundCache(esc50.recordings(data)[:2], data / "cache")


def test_patches_are_those_of_the_whole_sound(data, clips):
    weights = data / TRAININGS["lite"]
    heard = embed_recordings(clips, weights, data / "cache")
    network = YAMNet.from_weights(read_npz(weights))
    frames = torch.from_numpy(offline(FRONT_END, clips.samples(1)[None]))
    patches = frames.unfold(1, 96, 48).transpose(2, 3)[0]
    with torch.no_grad():
        logits, expected = network(patches)
    mine = heard.recording == 1
    np.testing.assert_array_equal(heard.start_samples[mine], np.arange(len(patches)) * 7_680)
    np.testing.assert_allclose(heard.embedding[mine], expected, rtol=2e-3, atol=1e-4)  # kept as float16
    np.testing.assert_allclose(heard.music[mine], logits[:, 7], rtol=1e-4, atol=1e-4)


def test_digital_silence_has_no_patches(data, clips, monkeypatch, tmp_path):
    sound = np.concatenate([clips.samples(0)[:20_000], np.zeros(60_000, np.float32)])
    monkeypatch.setattr(SoundCache, "samples", lambda self, index: sound)
    heard = embed_recordings(clips, data / TRAININGS["lite"], tmp_path)
    np.testing.assert_array_equal(heard.start_samples[heard.recording == 0], [0, 7_680, 15_360])


def test_recordings_that_are_too_short_have_no_patches(data, clips, monkeypatch, tmp_path):
    monkeypatch.setattr(SoundCache, "samples", lambda self, index: np.ones(15_599, np.float32))
    heard = embed_recordings(clips, data / TRAININGS["lite"], tmp_path)
    assert heard.embedding.shape == (0, 1024)
    assert len(heard.recording) == len(heard.start_samples) == len(heard.music) == 0
    with pytest.raises(
        ConfigError, match=r"esc50 1-1-A-\w+ and 1 others have no 0\.975 s that are not silent"
    ):
        check_all_embedded(heard, clips)


def test_yamnet_is_asked_once_for_each_training_hop_and_set_of_recordings(data, clips, monkeypatch, tmp_path):
    asked = []
    ask = patch_embeddings._embed
    monkeypatch.setattr(patch_embeddings, "_embed", lambda *given: asked.append(given[2]) or ask(*given))
    first = embed_recordings(clips, data / TRAININGS["hub"], tmp_path)
    again = embed_recordings(clips, data / TRAININGS["hub"], tmp_path)
    np.testing.assert_array_equal(first.embedding, again.embedding)
    assert asked == [7_680]
    embed_recordings(clips, data / TRAININGS["lite"], tmp_path)
    embed_recordings(clips, data / TRAININGS["lite"], tmp_path, 15_600)
    embed_recordings(SoundCache(clips.recordings[:1], data / "cache"), data / TRAININGS["lite"], tmp_path)
    assert asked == [7_680, 7_680, 15_600, 7_680]


def test_absent_weights_are_named(clips, tmp_path):
    with pytest.raises(
        ModelError, match=r"yamnet_weights\.npz is not an npz file .*expected YAMNet's weights"
    ):
        embed_recordings(clips, tmp_path / "yamnet_weights.npz", tmp_path)


def test_pooling_is_mean_and_maximum_of_each_group():
    found = pool_patches(np.array([[1.0, 2.0], [3.0, 0.0], [5.0, 5.0]]), np.array([4, 4, 9]))
    np.testing.assert_array_equal(found, [[2, 1, 3, 2], [5, 5, 5, 5]])


def test_what_is_held_out_is_not_learnt():
    rng = np.random.default_rng(0)
    fold = np.arange(100) % 5
    labels = np.arange(100) // 5 % 2
    features = labels[:, None] + 0.01 * rng.standard_normal((100, 3))
    flipped = np.where(fold == 2, 1 - labels, labels)  # only who learnt from fold 2 could know
    right = predict_held_out(logistic_regression, features, flipped, fold) == flipped
    found = over_folds(right, fold)
    assert found["folds"] == {"0": 1.0, "1": 1.0, "2": 0.0, "3": 1.0, "4": 1.0}
    assert found["mean"] == 0.8
    assert found["spread"] == pytest.approx(np.std([1, 1, 0, 1, 1], ddof=1), abs=1e-4)


def test_mel_statistics_are_of_levels_and_of_changes():
    frames = np.stack([np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0]])])
    found = mel_statistics(frames)
    np.testing.assert_allclose(found, [[2, 5, np.std([0, 2, 4]), 0, 2, 0, 0, 0]])


@pytest.mark.slow
@pytest.mark.parametrize("task", MEASURES)
def test_the_command_prints_what_the_page_of_results_tells(task, data, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(data))
    once = dict.fromkeys(TRAININGS, TRAININGS["lite"])  # the second time it is on disk
    monkeypatch.setattr(f"{MEASURES[task]}.TRAININGS", once)
    result = CliRunner().invoke(transfer_command, [task], catch_exceptions=False)
    printed = json.loads(result.stdout)
    content = read(ROOT / "docs" / "results" / f"transfer_{task}.json")
    assert content.command == f"python -m train transfer {task}"
    rows = fill(content, printed, "", "").rows
    assert all(0 <= row.measured <= 1 for row in rows)
    if task == "gate":  # fold 5: two tracks of 25 s, a piece of 3 s, two sentences of 3 s, a clip of 5 s
        assert printed["lite"]["patches"] == 2 * 25 + 3 + 2 * 3 + 5
    if task == "genre":
        assert printed["mels"]["support vectors"]["mean"] == 1.0  # the toy's genres differ in level
        # Each toy track of one genre is in the other too: what is said of both is right of one.
        assert printed["tracks"]["lite"]["logistic regression"]["track"]["mean"] == 0.5


def test_yamnet_tells_real_sounds_apart(data_dir, tmp_path):
    wanted = ("crying_baby", "rain", "church_bells")
    every = [clip for clip in esc50.recordings(data_dir) if clip.category in wanted]
    some = [clip for fold in range(1, 6) for name in wanted for clip in _first(every, fold, name)]
    sounds = SoundCache(some, tmp_path)
    heard = embed_recordings(sounds, data_dir / TRAININGS["lite"], tmp_path)
    labels = np.array([wanted.index(clip.category) for clip in sounds.recordings])
    fold = np.array([clip.fold for clip in sounds.recordings])
    said = predict_held_out(logistic_regression, pool_patches(heard.embedding, heard.recording), labels, fold)
    assert np.mean(said == labels) >= 0.9


def _first(clips, fold, name, count=2):
    return [clip for clip in clips if (clip.fold, clip.category) == (fold, name)][:count]
