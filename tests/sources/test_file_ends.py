"""Test where sound files end: those that were cut short, written into a pipe, or joined to others."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.sources.sound_files import decoded_by_ffmpeg, encoded, needs_ffmpeg, opened, sound
from tests.sources.source_contract import read_all


@pytest.mark.parametrize(("name", "share"), [("a.wav", 0.6), ("a.aiff", 0.6), ("a.ogg", 0.6), ("a.mp3", 0.6)])
def test_a_file_cut_short_is_read_as_far_as_it_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, share: float
) -> None:
    path = tmp_path / name
    soundfile.write(path, sound(200_000), 44_100)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with caplog.at_level(logging.WARNING):
        got = read_all(opened(path))
    assert 60_000 < len(got) < 140_000
    assert f"file {path} is cut short (" in caplog.text
    assert f"): {len(got)} frames are read" in caplog.text


@needs_ffmpeg
def test_an_m4a_cut_short_is_read_as_far_as_it_goes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = encoded(tmp_path / "a.m4a", "-movflags", "faststart")
    path.write_bytes(path.read_bytes()[:-2_000])
    with caplog.at_level(logging.WARNING):
        got = read_all(opened(path))
    assert 2_000 < len(got) < 12_000
    assert f"file {path} is damaged or cut short (ffmpeg: " in caplog.text


@needs_ffmpeg
def test_a_flac_cut_short_is_read_as_far_as_it_goes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, sound(50_000), 44_100)
    path.write_bytes(path.read_bytes()[:-40_000])
    with caplog.at_level(logging.WARNING):
        got = read_all(opened(path))
    assert len(got) == len(decoded_by_ffmpeg(path)) > 36_000
    whole, _ = soundfile.read(path, 32_768, dtype="float32")
    np.testing.assert_array_equal(got[:32_768], whole)
    assert f"is cut short (it announces 50000 frames): {len(got)} frames are read" in caplog.text


@needs_ffmpeg
def test_a_flac_written_into_a_pipe_is_read_to_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Such a header leaves the number of samples open: bits 108 to 143 of STREAMINFO are 0 (RFC 9639, 8.2)."""
    path = tmp_path / "a.flac"
    soundfile.write(path, np.full(20_000, 0.25), 16_000)
    content = bytearray(path.read_bytes())
    content[18:26] = (int.from_bytes(content[18:26], "big") >> 36 << 36).to_bytes(8, "big")
    path.write_bytes(content)
    source = opened(path)
    assert source.total_s is None or source.total_s < 10
    assert len(read_all(source)) == 20_000
    assert caplog.text == ""


@needs_ffmpeg
def test_a_wav_written_into_a_pipe_is_not_cut_short(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    soundfile.write(tmp_path / "a.wav", sound(), 16_000)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-f", "wav", "pipe:1"]
    (tmp_path / "piped.wav").write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    assert len(read_all(opened(tmp_path / "piped.wav"))) == 12_000
    assert caplog.text == ""


def joined(path: Path, *parts: tuple[str, int]) -> Path:
    """Sounds of 3 s and 2 s in the given codecs and rates, end to end; each has a click at 0.5 s."""
    content = b""
    for (codec, rate_hz), seconds in zip(parts, (3, 2), strict=True):
        x = 0.01 * np.random.default_rng(seconds).standard_normal(seconds * rate_hz)
        x[rate_hz // 2] = 0.9
        soundfile.write(path.with_name("part.wav"), x, rate_hz)
        form = {"libmp3lame": "mp3", "flac": "flac"}.get(codec, "ogg")
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            path.with_name("part.wav"),
            "-c:a",
            codec.removeprefix("ogg-"),
        ]
        content += subprocess.run([*command, "-f", form, "-"], check=True, capture_output=True).stdout
    path.write_bytes(content)
    return path


@needs_ffmpeg
@pytest.mark.parametrize(
    "parts",
    [
        [("libmp3lame", 44_100), ("libmp3lame", 44_100)],
        [("libmp3lame", 44_100), ("libmp3lame", 22_050)],
        [("flac", 44_100), ("flac", 44_100)],
        [("flac", 44_100), ("flac", 16_000)],
        [("libvorbis", 44_100), ("libvorbis", 44_100)],
        [("libvorbis", 44_100), ("libvorbis", 32_000)],
        [("libopus", 48_000), ("libopus", 48_000)],
        [("ogg-flac", 44_100), ("ogg-flac", 44_100)],
        [("libvorbis", 44_100), ("libopus", 48_000)],
        [("ogg-flac", 44_100), ("libvorbis", 44_100)],
    ],
)
def test_compressed_files_joined_end_to_end_are_heard_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, parts: list[tuple[str, int]]
) -> None:
    source = opened(joined(tmp_path / "a", *parts))
    assert source.total_s is None or 2 < source.total_s < 8  # an estimate
    x = np.abs(read_all(source)[:, 0])
    delay_s = 0.06 if parts[0][0] == "libmp3lame" else 0.005  # of the encoder, where ffmpeg leaves it
    assert len(x) / source.rate_hz == pytest.approx(5, abs=2 * delay_s)
    half = 2 * source.rate_hz
    clicks = np.argmax(x[:half]), half + np.argmax(x[half:])
    assert np.array(clicks) / source.rate_hz == pytest.approx([0.5, 3.5], abs=delay_s)
    assert caplog.text == ""
