"""`streamer separate`: stems of files, aligned to them, and files that cannot be used."""

from __future__ import annotations

import io
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from rich.console import Console
from rich.progress import Progress

from streamer.arrays import Array
from streamer.cli.helpers.progress import FileBars
from streamer.cli.main import main
from streamer.dsp.stft import StftConfig
from streamer.inference.onnx import OnnxModel
from streamer.separation.separate_file import separate_file
from streamer.separation.separator import at_rate
from streamer.sources.file import FileSource
from tests.conftest import DEADLINE_S
from tests.programs import STREAMER, running
from tests.toy_model import write_toy_model
from tests.toy_separation import without_offset, write_toy_separation


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_toy_separation(tmp_path / "toy", 0.25)


def noise(samples: int, channels: int = 1) -> Array:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (samples, channels)).astype(np.float32)


def write(path: Path, sound: Array, rate_hz: int = 16_000, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, sound, rate_hz, subtype)
    return path


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["separate", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("rate_hz", "channels"), [(16_000, 1), (44_100, 2), (48_000, 6), (8_000, 1), (22_050, 2)]
)
def test_stems_have_the_rate_channels_and_length_of_the_file_and_lie_on_it(
    tmp_path: Path, model: Path, rate_hz: int, channels: int
) -> None:
    sound = noise(2 * rate_hz + 77, channels)
    file = write(tmp_path / "song.wav", sound, rate_hz)
    code, printed, _ = run(file, "--out", tmp_path / "out", "--model", model)
    assert code == 0
    assert printed.strip() == str(tmp_path / "out" / "song")
    voice, voice_rate_hz = soundfile.read(tmp_path / "out" / "song" / "voice.wav", always_2d=True)
    music, music_rate_hz = soundfile.read(tmp_path / "out" / "song" / "music.wav", always_2d=True)
    assert voice_rate_hz == music_rate_hz == rate_hz
    assert voice.shape == music.shape == sound.shape
    np.testing.assert_allclose(voice + music, sound, atol=1e-6)
    if rate_hz <= 16_000:  # the toy's quarter is of what the network sees; above that the mask goes on evenly
        np.testing.assert_allclose(
            voice, 0.25 * without_offset(sound, at_rate(StftConfig(), rate_hz)), atol=1e-5
        )


def test_loud_stems_are_not_cut_off(tmp_path: Path) -> None:
    sound = np.clip(noise(8_000) * 3, -1, 1)
    file = write(tmp_path / "loud.flac", sound, subtype="PCM_16")
    model = write_toy_separation(tmp_path / "twice", 2.0)
    assert run(file, "--out", tmp_path, "--model", model)[0] == 0
    voice, _ = soundfile.read(tmp_path / "loud" / "voice.wav")
    assert np.abs(voice).max() > 1.9


def test_what_only_ffmpeg_reads_is_separated_too(tmp_path: Path, model: Path) -> None:
    write(tmp_path / "song.wav", noise(16_000))
    command = ["ffmpeg", "-v", "error", "-i", "song.wav", "-c:a", "alac", "song.m4a"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert run(tmp_path / "song.m4a", "--out", tmp_path / "out", "--model", model)[0] == 0
    path = tmp_path / "out" / "song" / "voice.wav"
    voice, _ = soundfile.read(path, always_2d=True)
    assert len(voice) == 16_000
    assert path.read_bytes()[:4] == b"RIFF"


def test_what_is_too_long_for_a_wav_is_its_successor(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "long.wav", noise(16_000))
    monkeypatch.setattr("streamer.audio.wav.WAV_BYTES", 16_000)
    assert run(file, "--out", tmp_path, "--model", model)[0] == 0
    path = tmp_path / "long" / "voice.wav"
    assert path.read_bytes()[:4] == b"RF64"
    assert len(soundfile.read(path)[0]) == 16_000


def test_what_is_no_sound_is_muted_counted_and_spreads_nowhere(tmp_path: Path, model: Path) -> None:
    sound = noise(32_000)
    sound[9_000:9_010] = np.nan
    sound[9_010] = np.inf
    sound[9_011] = 1e9
    file = write(tmp_path / "bad.wav", sound)
    code, _, printed = run(file, "--out", tmp_path, "--model", model)
    assert code == 0
    assert "12 samples were no sound (NaN, infinite) and muted" in printed
    voice, _ = soundfile.read(tmp_path / "bad" / "voice.wav", always_2d=True)
    good = np.where(np.abs(sound) < 1e6, sound, 0.0)
    np.testing.assert_allclose(voice, 0.25 * without_offset(good), atol=1e-5)


def test_a_bad_file_is_reported_and_the_others_are_separated(tmp_path: Path, model: Path) -> None:
    good = write(tmp_path / "good.wav", noise(8_000))
    (tmp_path / "bad.wav").write_bytes(b"no sound " * 100)
    code, printed, errors = run(tmp_path / "bad.wav", good, "--out", tmp_path / "out", "--model", model)
    assert code == 1
    assert "bad.wav cannot be read by libsndfile" in errors
    assert printed.strip() == str(tmp_path / "out" / "good")


def test_two_files_of_one_name_are_refused(tmp_path: Path, model: Path) -> None:
    code, _, errors = run("a/song.wav", "b/song.flac", "--out", tmp_path, "--model", model)
    assert code == 2
    assert "the stems of a/song.wav and b/song.flac would both be in" in errors
    assert "expected a name of its own for each file" in errors


def test_a_model_that_does_something_else_is_refused(tmp_path: Path) -> None:
    gate = write_toy_model(tmp_path / "gate")
    code, _, errors = run("song.wav", "--out", tmp_path, "--model", gate)
    assert code == 1
    assert "model gate decides 'gate'; expected a model whose task is 'separation'" in errors


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path, model: Path) -> None:
    file = write(tmp_path / "song.wav", noise(8_000))
    code, _, errors = run(file, "--out", file, "--model", model)
    assert code == 1
    assert f"the stems of {file} cannot be written into {file / 'song'}" in errors
    assert "make room there, or name a folder with --out that may be written to" in errors


def test_a_full_disk_leaves_what_was_there_and_no_half_stems(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "song.wav", noise(100_000))
    assert run(file, "--out", tmp_path / "out", "--model", model)[0] == 0
    before = (tmp_path / "out" / "song" / "voice.wav").read_bytes()

    def full(self: soundfile.SoundFile, data: Array) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    code, _, errors = run(file, "--out", tmp_path / "out", "--model", model)
    assert code == 1
    assert "No space left on device" in errors
    assert (tmp_path / "out" / "song" / "voice.wav").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "out" / "song").iterdir()) == ["music.wav", "voice.wav"]


def test_a_disk_without_room_is_named_where_libsndfile_does_not(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: soundfile.SoundFile, data: Array) -> None:
        raise soundfile.LibsndfileError(2)

    file = write(tmp_path / "song.wav", noise(8_000))
    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    monkeypatch.setattr("streamer.sinks.stem_writer.FULL_BYTES", 1 << 60)
    code, _, errors = run(file, "--out", tmp_path, "--model", model)
    assert code == 1
    assert "(less than 17 MB are free); make room there, or name a folder" in errors
    assert not (tmp_path / "song").exists()


def test_progress_is_told_in_seconds_of_how_many(tmp_path: Path, model: Path) -> None:
    file = write(tmp_path / "song.wav", noise(48_000))
    calls: list[tuple[float, float | None]] = []
    separate_file(
        FileSource(file), file, tmp_path / "out", OnnxModel(model), lambda *seconds: calls.append(seconds)
    )
    assert calls[-1] == (3.0, 3.0)
    assert [seconds for seconds, _ in calls] == sorted(seconds for seconds, _ in calls)


def test_a_file_is_not_written_over_by_its_own_stem(tmp_path: Path, model: Path) -> None:
    (tmp_path / "voice").mkdir()
    file = write(tmp_path / "voice" / "voice.wav", noise(8_000))
    before = file.read_bytes()
    code, _, errors = run(file, "--out", tmp_path, "--model", model)
    assert code == 2
    assert "would be written over by a stem of" in errors
    assert "name another folder with --out" in errors
    assert file.read_bytes() == before


def test_a_file_that_is_read_later_is_not_written_over(tmp_path: Path, model: Path) -> None:
    (tmp_path / "song").mkdir()
    later = write(tmp_path / "song" / "voice.wav", noise(4_000))
    before = later.read_bytes()
    first = write(tmp_path / "song.wav", noise(4_000))
    code, _, errors = run(first, later, "--out", tmp_path, "--model", model)
    assert code == 2
    assert f"{later} would be written over by a stem of {first}; name another folder with --out" in errors
    assert later.read_bytes() == before


def test_no_folder_is_refused(model: Path) -> None:
    code, _, errors = run("a.wav", "--out", "", "--model", model)
    assert (code, errors.strip()) == (2, "Error: --out is empty; expected a folder")


def test_asked_to_stop_it_leaves_no_part_of_a_stem(tmp_path: Path) -> None:
    long = write(tmp_path / "long.wav", noise(16_000 * 600))
    folder = tmp_path / "out" / "long"
    with running("separate", str(long), "--out", str(tmp_path / "out")) as process:
        until = time.monotonic() + DEADLINE_S
        while not (folder / "voice.wav.partial").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        process.terminate()
        _, printed = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert b"interrupted in" in printed
    assert not folder.exists()


def test_of_bars_the_last_is_there_and_lines_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    printed: list[tuple[str, bool, bool]] = []
    with Progress(console=console) as progress:
        monkeypatch.setattr(
            "click.echo", lambda text, err: printed.append((text, err, progress.live.is_started))
        )
        bars = FileBars(progress)
        bars.begin("a.wav")
        bars.begin("b.wav")(1.0, 2.0)
        assert [task.description for task in progress.tasks] == ["b.wav"]
        bars.print_line("out/a")
        assert progress.live.is_started
        bars.print_line("cannot be read", err=True)
    assert printed == [("out/a", False, False), ("cannot be read", True, False)]


def test_files_are_separated_though_nobody_reads_their_names(tmp_path: Path, model: Path) -> None:
    files = [write(tmp_path / f"{name}.wav", noise(8_000)) for name in "abc"]
    arguments = ["separate", *map(str, files), "--out", str(tmp_path / "out"), "--model", str(model)]
    with subprocess.Popen([STREAMER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")
    assert sorted(path.parent.name for path in (tmp_path / "out").glob("*/voice.wav")) == ["a", "b", "c"]


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path, model: Path) -> None:
    file = write(tmp_path / "song.wav", noise(8_000))
    code, _, errors = run(file, "--out", file, "--model", model)
    assert code == 1
    assert f"cannot be written into {file / 'song'} (Not a directory); make room there" in errors
