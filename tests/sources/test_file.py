"""Test sound files that are read as fast as possible."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.errors import StreamError
from streamer.sources.file import FileSource
from streamer.sources.timing.paced import Paced
from tests.sources.sound_files import decoded_by_ffmpeg, encoded, needs_ffmpeg, opened, sound
from tests.sources.source_contract import check_source, read_all


@pytest.mark.parametrize(
    ("name", "atol"),
    [("a.wav", 0), ("a.flac", 0), ("a.ogg", 0), ("a.aiff", 0), ("a.mp3", 3e-7)],  # mpg123 rounds by the call
)
def test_contract(tmp_path: Path, name: str, atol: float) -> None:
    path = tmp_path / name
    soundfile.write(path, sound(), 22_050)
    expected, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    check_source(lambda: FileSource(path), expected, rate_hz, atol)


def test_an_mp3_is_the_same_bytes_in_any_cutting(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.mp3", sound(), 22_050)
    whole = read_all(opened(tmp_path / "a.mp3"), itertools.repeat(12_000))
    check_source(lambda: FileSource(tmp_path / "a.mp3"), whole, 22_050)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", []),
        ("a.mkv", ["-c:a", "aac"]),
        ("video.mp4", ["-f", "lavfi", "-i", "color=s=16x16:d=1", "-shortest"]),
        ("vbr.mp3", ["-q:a", "4", "-write_xing", "0", "-id3v2_version", "0"]),
        ("%d -odd: name.m4a", []),
    ],
)
def test_contract_of_what_libsndfile_does_not_read(tmp_path: Path, name: str, options: list[str]) -> None:
    path = encoded(tmp_path / name, *options)
    expected = decoded_by_ffmpeg(path)[1_024 if name == "a.mkv" else 0 :]  # AAC's first frame is no sound
    assert len(expected) > 11_000
    source = opened(path)
    assert source.total_s == pytest.approx(len(expected) / 22_050, abs=0.1)
    source.close()
    check_source(lambda: FileSource(path), expected, 22_050)


def test_a_fast_file_has_no_time_and_nothing_to_skip(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sound(), 16_000)
    source = opened(tmp_path / "a.wav")
    block = source.read(100)
    assert block is not None
    assert block.captured_at is None
    assert (source.backlog_frames(), source.skip(50)) == (0, 0)
    source.close()
    assert source.ended
    assert source.read(100) is None


def test_nan_and_infinity_pass_through(tmp_path: Path) -> None:
    x = np.array([[0.5], [np.nan], [np.inf], [-np.inf], [4.0]], np.float32)
    soundfile.write(tmp_path / "a.wav", x, 16_000, subtype="FLOAT")
    np.testing.assert_array_equal(read_all(opened(tmp_path / "a.wav")), x)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", []),
        ("a.aac", []),
        ("a.ts", []),
        ("a.mkv", []),
        ("a.flv", []),
        ("fragments.mp4", ["-movflags", "frag_keyframe+empty_moov"]),
        ("delayed.mp4", ["-movflags", "frag_keyframe+empty_moov+delay_moov"]),
    ],
)
def test_aac_has_the_same_stamps_in_every_container(tmp_path: Path, name: str, options: list[str]) -> None:
    x = np.zeros(44_100)
    x[22_050] = 0.9
    soundfile.write(tmp_path / "click.wav", x, 44_100)
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        tmp_path / "click.wav",
        "-c:a",
        "aac",
        *options,
        tmp_path / name,
    ]
    subprocess.run(command, check=True)
    source = opened(tmp_path / name)
    assert abs(np.argmax(np.abs(read_all(source))) - 22_050) <= 1


@needs_ffmpeg
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_an_mp3_is_decoded_as_a_whole_would_be(tmp_path: Path, rate_hz: int) -> None:
    rng = np.random.default_rng(4)
    bursts = rng.normal(0, 0.3, (40, rate_hz // 10)) * rng.uniform(0, 1, (40, 1)) ** 3
    soundfile.write(tmp_path / "a.wav", bursts.ravel(), rate_hz)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-b:a", "24k", tmp_path / "a.mp3"]
    subprocess.run(command, check=True)
    whole, _ = soundfile.read(tmp_path / "a.mp3", dtype="float32", always_2d=True)
    source = FileSource(tmp_path / "a.mp3")
    source.open()
    pieces = read_all(source, itertools.repeat(1_000))
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=1e-6)


def test_what_may_take_ffmpeg_opens_slowly_whatever_stands_before_it() -> None:
    slow = {name: Paced(FileSource(Path(name))).opens_slowly for name in ("a.m4a", "a", "a.wav", "A.FLAC")}
    assert slow == {"a.m4a": True, "a": True, "a.wav": False, "A.FLAC": False}


def test_opening_a_file_by_ffmpeg_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(b"no sound " * 100)
    stuck = tmp_path / "ffmpeg"
    stuck.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    stuck.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    source = Paced(FileSource(path))
    source.give_up_opening()
    with pytest.raises(StreamError, match="not waited for"):
        source.open()
