"""Sequences of embeddings: how recordings are cut, brought to fewer numbers, learnt from and measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.inference.manifest_json import write_manifest
from streamer.inference.model_folders import read_manifest
from tests.toy_model import write_toy_ear
from tests.train.toy_data import make_toy_data
from train.data.recordings import Recording
from train.evaluate.predictions import Predictions
from train.loop.config import read_config
from train.tasks.reference import embedders, embedding_sequences, music_sequences
from train.tasks.reference.embedders import Embedded, by_ear
from train.tasks.reference.embedding_sequences import load_sequences, sequences
from train.tasks.reference.music_sequences import MusicSequenceRunConfig, figures_of_music
from train.tasks.reference.task import ImageTask

FEATURES = 12


def recording(name: str, kind: str, fold: int) -> Recording:
    return Recording("toy", name, (Path(f"{name}.wav"),), kind, "any", fold)


@pytest.fixture
def embedder(monkeypatch):
    """An embedder of made numbers: music lies at 1, all other sound at -1, and a fold's own axis is the longest."""

    def embed(recordings, data, cache):
        rng = np.random.default_rng(0)
        rows = []
        for one in recordings:
            row = rng.normal(1.0 if one.kind == "music" else -1.0, 0.2, (25, FEATURES))
            row[:, one.fold % FEATURES] *= 10
            rows.append(row.astype(np.float32))
        return Embedded(recordings, rows, f"{[one.name for one in recordings]}", ())

    monkeypatch.setattr(embedding_sequences, "EMBEDDERS", {"yamnet": embed})
    found = [
        recording(f"{kind}{fold}", kind, fold)
        for fold in range(1, 6)
        for kind in ("music", "speech", "sound")
    ]
    monkeypatch.setattr(
        embedding_sequences,
        "music_or_not",
        lambda data, cache, folds: [one for one in found if one.fold in folds],
    )


def test_a_recording_is_cut_into_whole_sequences_and_a_short_one_is_repeated():
    rows = np.arange(70)[:, None]
    assert [sequence[0, 0] for sequence in sequences(rows[:39])] == [0, 10, 20]
    assert [sequence.ravel().tolist() for sequence in sequences(rows[:4])] == [[0, 1, 2, 3, 0, 1, 2, 3, 0, 1]]
    assert len(list(sequences(rows))) == 5
    assert list(sequences(rows[:0])) == []


def test_sequences_have_the_class_and_fold_of_their_recording(embedder, tmp_path):
    found = load_sequences("yamnet", 3, (1, 2, 3), [5], tmp_path, tmp_path)
    assert len(found) == 3 * 2
    assert found.categories == ["music", "music", *["other"] * 4]
    assert found.names[:2] == ["toy/music5 0", "toy/music5 1"]
    assert set(found.folds) == {5}
    assert found.image(0).shape == (3, 10)
    assert found.image(0).dtype == np.float32


def test_the_projection_is_determined_by_what_is_learnt_from(embedder, tmp_path):
    learnt = load_sequences("yamnet", 3, (1, 2, 3), (1, 2, 3), tmp_path, tmp_path)
    again = load_sequences("yamnet", 3, (1, 2, 3), [4], tmp_path, tmp_path)
    other = load_sequences("yamnet", 3, (2, 3, 5), [4], tmp_path, tmp_path)
    spread = np.std([learnt.image(number) for number in range(len(learnt))], axis=(0, 2))
    np.testing.assert_allclose(spread, 1.0, atol=0.15)
    assert not np.allclose(again.image(0), other.image(0))
    assert len({learnt.digest, again.digest, other.digest}) == 3


def test_the_network_learns_to_tell_music_by_its_embeddings(embedder, tmp_path):
    settings = ["image.bands=8", "loop.steps=1", "model.key=4", "model.filters=[8, 8]"]
    task = ImageTask(read_config(MusicSequenceRunConfig, None, settings), tmp_path, tmp_path)
    assert task.labels == ("music", "other")
    model = task.make_model()
    sequences_, targets = task.make_batch(1, 0, 16)
    assert sequences_.shape == (16, 8, 10)
    assert set(targets.unique().tolist()) == {0.0, 1.0}
    assert model(sequences_).shape == (16, 2)


def test_an_ear_has_an_embedding_for_every_six_of_its_steps_and_must_hold_out_the_folds(
    tmp_path, monkeypatch
):
    root = make_toy_data(tmp_path / "data")
    ear = write_toy_ear(tmp_path / "ear")
    write_manifest(ear, replace(read_manifest(ear), results={"held out": {"fold": 5, "validation_fold": 4}}))
    for module in (embedders, music_sequences):
        monkeypatch.setattr(module, "EAR", str(ear))
    clips = [Recording("esc50", "a", (root / "esc50" / "audio" / "1-1-A-dog.flac",), "sound", "dog", 1)]
    found = by_ear(clips, root, tmp_path)
    assert found.embeddings[0].shape == (10, read_manifest(ear).output_size)  # 5 s are 62 steps of 80 ms
    settings = ['embeddings="ear"', "fold=3", "validation_fold=2"]
    config = read_config(MusicSequenceRunConfig, None, settings)
    with pytest.raises(ConfigError, match=r"holds out .*; expected {'fold': 3"):
        config.images([3], root, tmp_path)


def test_figures_of_music_are_those_of_the_class_music():
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7]])[:, None]
    predictions = Predictions(
        task="music_attention",
        model="music_attention",
        labels=("music", "other"),
        clips=("a", "b", "c", "d"),
        truth=np.array([0, 0, 1, 1]),
        folds=np.full(4, 5),
        step_s=5.0,
        scores=scores,
        command="",
        rule="latest",
    )
    found = figures_of_music(predictions)
    assert found == {"PR-AUC": pytest.approx(0.8333, abs=1e-4), "F1": 0.5, "precision": 0.5, "recall": 0.5}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ('embeddings="vgg"', "embeddings is 'vgg'; expected one of yamnet, ear"),
        ("image.frames=20", "image.frames is 20; expected 10, the steps of a sequence"),
    ],
)
def test_other_embeddings_and_lengths_are_refused(setting, words):
    with pytest.raises(ConfigError, match=words):
        read_config(MusicSequenceRunConfig, None, [setting])
