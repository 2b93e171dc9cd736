"""Voices of MIR-1K over music of other origin: of one fold, and over music in which nobody sings."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import ConfigError
from tests.train.toy_data import make_toy_data
from train.data.recordings import Recording
from train.data.sets.songs.song_catalogue import find_song_set, find_songs


def piece(source: str, name: str, category: str, fold: int) -> Recording:
    return Recording(source, name, (Path(f"{name}.ogg"),), "music", category, fold)


def set_music(monkeypatch: pytest.MonkeyPatch, debian: list[Recording], rendered: list[Recording]) -> None:
    for name, pieces in (("debian", debian), ("rendered", rendered)):
        monkeypatch.setattr(f"train.data.sets.{name}.recordings", lambda _, found=pieces: found)


def test_a_voice_is_over_music_of_its_fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_music(
        monkeypatch,
        [piece("debian", "widelands-data/1", "music", 4), piece("debian", "nexuiz-music/1", "music", 5)],
        [piece("rendered", "a", "full", 5), piece("rendered", "b", "choir", 5)],
    )
    found = find_songs(["over_free_music"], make_toy_data(tmp_path))
    assert [(s.artist, s.music.name, s.fold) for s in found] == [
        ("annar", "widelands-data/1", 4),
        ("ariel", "a", 5),
    ]
    assert {(s.source, s.aligned) for s in found} == {("over_free_music", False)}
    licence = find_song_set("over_free_music").licence
    assert "CC BY-SA" in licence
    assert "soundfonts" in licence


def test_music_in_which_somebody_may_sing_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_music(monkeypatch, [piece("debian", "nexuiz-music/1", "music", 5)], [])
    with pytest.raises(
        ConfigError, match=r"no music of colobot-common-sounds, .* expected some: python -m train fe"
    ):
        find_songs(["over_free_music"], make_toy_data(tmp_path))
