"""Labels that a folder gave are in doubt where YAMNet hears something else."""

import numpy as np
import pytest

from tests.train.toy_data import write
from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.mixing import doubts
from train.mixing.doubts import labels_in_doubt
from train.mixing.patch_embeddings import PatchEmbeddings
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.mixing.scenes import SceneConfig, Scenes

NONE, SOME = -3.0, 0.0
"""Logits of scores of 0.05 and 0.5."""


@pytest.fixture
def sounds(tmp_path):
    made = [
        ("esc50", "rain", "sound"),
        ("debian", "jingle", "sound"),
        ("debian", "song", "music"),
        ("debian", "knock", "sound"),
        ("debian", "guard", "sound"),
        ("debian", "hymn", "speech"),
        ("debian", "scream", "speech"),
        ("debian", "greeting", "speech"),
        ("debian", "short", "speech"),
    ]
    for _, name, _ in made:
        write(tmp_path / f"{name}.wav", seconds=2.0)
    recordings = [
        Recording(source, name, (tmp_path / f"{name}.wav",), kind, name, 1) for source, name, kind in made
    ]
    return SoundCache(recordings, tmp_path / "cache")


def heard(monkeypatch, by_name):
    """Let YAMNet say these logits of music and speech, one patch each, of the recordings with these names."""

    def embed(part, weights, cache):
        assert {recording.name for recording in part.recordings} <= {*by_name, "short"}
        rows = [(n, *by_name[r.name]) for n, r in enumerate(part.recordings) if r.name in by_name]
        numbers, music, speech = map(np.array, zip(*rows, strict=True))
        return PatchEmbeddings(numbers, 0 * numbers, np.zeros((len(rows), 1024)), music, speech)

    monkeypatch.setattr(doubts, "embed_recordings", embed)


def test_labels_of_packages_are_in_doubt_where_something_else_is_heard(sounds, tmp_path, monkeypatch):
    logits = {
        "jingle": (SOME, NONE),
        "knock": (NONE, NONE),
        "guard": (NONE, SOME),
        "hymn": (SOME, SOME),
        "scream": (NONE, NONE),
        "greeting": (NONE, SOME),
    }
    heard(monkeypatch, logits)
    found = labels_in_doubt(sounds, tmp_path, tmp_path)
    assert {sounds.recordings[index].name: labels for index, labels in found.items()} == {
        "jingle": ("music",),
        "guard": ("speech", "singing"),
        "hymn": ("music",),
        "scream": ("speech", "singing"),
    }


def test_nobody_is_asked_where_data_sets_are_labelled_by_ear(sounds, tmp_path, monkeypatch):
    monkeypatch.setattr(doubts, "embed_recordings", None)
    only = SoundCache([r for r in sounds.recordings if r.source == "esc50"], tmp_path / "cache")
    assert labels_in_doubt(only, tmp_path, tmp_path) == {}


@pytest.mark.parametrize(
    ("doubtful", "labels"),
    [({}, (OTHER, PRESENT, OTHER)), ({0: ("music", "singing")}, (IGNORE, PRESENT, IGNORE))],
)
def test_a_recording_teaches_nothing_about_labels_in_doubt(sounds, tmp_path, doubtful, labels):
    hymn = SoundCache([r for r in sounds.recordings if r.name == "hymn"], tmp_path / "cache")
    weights = (0.0, 0.0, 0.0, 1.0)  # speech alone
    scenes = Scenes(hymn, SceneConfig(weights=weights), doubtful=doubtful)
    present = scenes.make(np.random.default_rng(0), 32_000).present
    sounding = (present[1] == PRESENT).nonzero()[0]
    assert len(sounding) > 16_000
    assert [set(row[sounding]) for row in present] == [{label} for label in labels]
