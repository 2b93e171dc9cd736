"""Recordings labelled by their folder are in doubt where YAMNet hears music in them."""

import numpy as np
import pytest

from tests.train.toy_data import write
from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.mixing import doubts
from train.mixing.doubts import doubtful_recordings
from train.mixing.patch_embeddings import PatchEmbeddings
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.mixing.scenes import SceneConfig, Scenes


@pytest.fixture
def sounds(tmp_path):
    made = [
        ("esc50", "rain", "sound"),
        ("debian", "jingle", "sound"),
        ("debian", "song", "music"),
        ("debian", "knock", "sound"),
        ("debian", "hymn", "speech"),
    ]
    for _, name, _ in made:
        write(tmp_path / f"{name}.wav", seconds=2.0)
    recordings = [
        Recording(source, name, (tmp_path / f"{name}.wav",), kind, name, 1) for source, name, kind in made
    ]
    return SoundCache(recordings, tmp_path / "cache")


def heard(monkeypatch, by_name):
    """Let YAMNet say these logits of music, one patch each, of the recordings with these names."""

    def embed(part, weights, cache):
        logits = [by_name[recording.name] for recording in part.recordings]
        numbers = np.arange(len(logits))
        return PatchEmbeddings(numbers, 0 * numbers, np.zeros((len(logits), 1024)), np.array(logits))

    monkeypatch.setattr(doubts, "embed_recordings", embed)


def test_effects_and_lines_of_packages_are_in_doubt_where_music_is_heard(sounds, tmp_path, monkeypatch):
    heard(monkeypatch, {"jingle": 0.0, "knock": -3.0, "hymn": 2.0})  # the score is 0.5, 0.05 and 0.88
    found = doubtful_recordings(sounds, tmp_path, tmp_path)
    assert {sounds.recordings[index].name for index in found} == {"jingle", "hymn"}


def test_nobody_is_asked_where_data_sets_are_labelled_by_ear(sounds, tmp_path, monkeypatch):
    heard(monkeypatch, {})
    only = SoundCache([r for r in sounds.recordings if r.source == "esc50"], tmp_path / "cache")
    assert doubtful_recordings(only, tmp_path, tmp_path) == frozenset()


@pytest.mark.parametrize(("doubtful", "music"), [((), OTHER), ((0,), IGNORE)])
def test_a_recording_in_doubt_teaches_no_label_of_music(sounds, tmp_path, doubtful, music):
    hymn = SoundCache([r for r in sounds.recordings if r.name == "hymn"], tmp_path / "cache")
    weights = (0.0, 0.0, 0.0, 1.0)  # speech alone
    scenes = Scenes(hymn, SceneConfig(weights=weights), doubtful=doubtful)
    scene = scenes.make(np.random.default_rng(0), 32_000)
    assert set(np.unique(scene.music)) == {music}
    assert PRESENT in scene.present[1]
