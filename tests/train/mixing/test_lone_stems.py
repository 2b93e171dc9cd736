"""Voices alone and music without voices are taken from data sets by kind and fold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError
from tests.train.toy_data import make_toy_data
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.mixing.lone_stems import LoneStems, accompaniments, lone_voices


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_toy_data(tmp_path / "data")


def test_voices_are_recordings_of_a_voice_alone(data: Path, tmp_path: Path) -> None:
    found = lone_voices(["speech", "mir1k"], data, tmp_path, (1, 2, 3))
    assert {(r.source, r.kind) for r in found} == {("speech", "speech"), ("mir1k", "singing")}
    assert {r.fold for r in found} == {1, 2, 3}


def test_accompaniments_have_no_voice(data: Path, tmp_path: Path) -> None:
    found = accompaniments(["mir1k"], data, tmp_path, (1, 2, 3, 4, 5))
    assert [(r.category, r.fold) for r in found] == [("accompaniment", fold) for fold in (1, 4, 5)]


def test_rendered_choirs_are_no_accompaniment(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = [Recording("rendered", c, (), "music", c, 1) for c in ("choir", "full")]
    monkeypatch.setattr("train.mixing.lone_stems.unambiguous_recordings", lambda *_: pieces)
    assert [r.category for r in accompaniments(["rendered"], data, tmp_path, (1,))] == ["full"]


@pytest.mark.parametrize("name", ["games", "nothing"])
def test_sets_that_are_only_for_measuring_or_unknown_are_refused(
    data: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(
        ConfigError, match=rf"accompaniments names '{name}'; expected some of esc50, gtzan, .*debian"
    ):
        accompaniments([name], data, tmp_path, (1,))


def test_a_set_without_such_recordings_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"voices names 'gtzan', which has none in folds 1, 2; .*: leave it out"
    ):
        lone_voices(["gtzan"], data, tmp_path, (1, 2))


def test_every_second_of_all_recordings_is_as_likely(tmp_path: Path) -> None:
    recordings = []
    for name, seconds in (("short", 1), ("long", 9)):
        level = 0.1 if name == "short" else 0.5
        soundfile.write(tmp_path / f"{name}.wav", np.full(seconds * RATE_HZ, level), RATE_HZ)
        recordings.append(Recording("mine", name, (tmp_path / f"{name}.wav",), "music", "any", 1))
    stems, rng = LoneStems(SoundCache(recordings, tmp_path / "cache")), np.random.default_rng(0)
    drawn = [stems.draw(rng, 2 * RATE_HZ) for _ in range(300)]
    assert {len(x) for x in drawn} == {RATE_HZ, 2 * RATE_HZ}
    assert np.mean([x[0] < 0.3 for x in drawn]) == pytest.approx(0.1, abs=0.05)
