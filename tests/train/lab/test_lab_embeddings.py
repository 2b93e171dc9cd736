"""The laboratory's rows on embeddings of VGGish and OpenL3, whose weights the user fetches."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.train.embedders.toy_weights import VGGISH, vggish_tensors, write_slices
from tests.train.toy_data import make_toy_data
from train.data.sets import esc50
from train.embedders.vggish import load_vggish
from train.errors import AbsentError
from train.lab.rows import ROWS
from train.lab.systems import network
from train.tasks.reference import embedders
from train.tasks.reference.embedders import EMBEDDERS

TINY = """
embeddings = "vggish"
[model]
heads = 1
key = 4
filters = [4, 4]
hidden = 4
[image]
bands = 8
[loop]
steps = 4
batch = 8
validate_every = 2
[loop.schedule.cosine]
warm_up_steps = 1
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def here(toy, tmp_path, monkeypatch):
    """A folder to train in; VGGish is small, and lies in the folder of the data sets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    monkeypatch.setattr(embedders, "load_vggish", partial(load_vggish, config=VGGISH))
    write_slices(toy / "vggish" / "vggish_model.ckpt", vggish_tensors())
    (tmp_path / "music_attention_vggish.toml").write_text(TINY)
    monkeypatch.setattr(network, "CONFIGS", tmp_path)
    return tmp_path


def test_music_is_told_by_sequences_of_vggish(here):
    measured, outcomes = ROWS["music_attention_vggish"].system.measure("music_attention_vggish", [5])
    assert set(measured.figures) == set(ROWS["music_attention_vggish"].table.figures)
    assert all(0.0 <= value["5"] <= 1.0 for value in measured.figures.values())
    assert set(outcomes.folds) == {5}
    assert (here / "runs" / "cache" / "windows").is_dir()


def test_sounds_are_named_by_embeddings_of_vggish(here, toy):
    measured, outcomes = ROWS["sound_vggish"].system.measure("sound_vggish", [])
    assert set(measured.figures["accuracy"]) == {"1", "2", "3", "4", "5"}
    # A tone and noise of five seconds differ even to made-up weights.
    assert np.mean(list(measured.figures["accuracy"].values())) == 1.0
    assert outcomes.recordings == tuple(sorted(f"esc50/{clip.name}" for clip in esc50.recordings(toy)))
    assert (outcomes.right == 1).all()
    assert measured.parameters == 2 * VGGISH.embedding + 1


def test_embeddings_of_a_recording_are_one_every_048_s(here, toy):
    clips = esc50.recordings(toy)[:2]
    found = EMBEDDERS["vggish"](clips, toy, here)
    assert [rows.shape for rows in found.embeddings] == [(9, VGGISH.embedding)] * 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("music_attention_vggish", "has no weights of VGGish; put vggish_model.ckpt there"),
        ("sound_vggish", "has no weights of VGGish; put vggish_model.ckpt there"),
        ("music_attention_openl3", "openl3_audio_mel256_music.h5 is not there; fetch"),
        ("sound_openl3", "openl3_audio_mel256_music.h5 is not there; fetch"),
    ],
)
def test_without_weights_they_are_asked_for(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(make_toy_data(tmp_path / "data")))
    with pytest.raises(AbsentError, match=words):
        ROWS[name].system.measure(name, [5])
