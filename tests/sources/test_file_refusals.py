"""Test what is refused as a sound file, and with what words."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import soundfile

from streamer.errors import StreamError
from tests.sources.sound_files import needs_ffmpeg, opened, sound
from tests.sources.source_contract import read_all


def wav_with_channels(count: int) -> bytes:
    header = b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x01\0" + count.to_bytes(2, "little")
    return header + b"\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\x10\0\0\0" + bytes(16)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("empty.wav", b"", r"empty.wav is empty \(0 bytes\); expected sound"),
        ("text.wav", b"no sound " * 100, r"text.wav cannot be read by libsndfile \(Format not recognised\)"),
        (
            "none.wav",
            wav_with_channels(0),
            r"none.wav cannot be read by libsndfile \(Channel count is zero\)",
        ),
    ],
)
def test_what_is_no_sound_is_refused(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StreamError, match=match) as refusal:
        opened(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_a_wav_with_one_channel_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "one.wav").write_bytes(wav_with_channels(1))
    assert read_all(opened(tmp_path / "one.wav")).shape == (8, 1)


@needs_ffmpeg
def test_a_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=s=16x16:d=0.04", path], check=True)
    with pytest.raises(
        StreamError,
        match=r"cannot be opened by ffmpeg \(it has no sound track\); expected something with sound in it: check the",
    ):
        opened(path)


@pytest.mark.parametrize(
    ("rate_hz", "fault"),
    [
        (1, "has a sample rate of 1 Hz; expected 4000 to 384000 Hz: correct the rate or convert the sound"),
        (768_000, "has a sample rate of 768000 Hz"),
    ],
)
def test_rates_out_of_range_are_refused(tmp_path: Path, rate_hz: int, fault: str) -> None:
    soundfile.write(tmp_path / "a.wav", sound(100), rate_hz)
    with pytest.raises(StreamError, match=f"a.wav {fault}"):
        opened(tmp_path / "a.wav")


def test_a_file_without_frames_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sound(0), 16_000)
    with pytest.raises(StreamError, match=r"a.wav holds no sound \(0 frames\); expected at least 1 frame"):
        opened(tmp_path / "a.wav")


def test_paths_that_lead_to_no_file_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name, reason in {
        "absent.wav": "No such file or directory",
        "": "it is a directory",
        "pipe": "it is a device, a pipe or a socket",
        "loop": "",
        "a\0b": "embedded null byte",
        "x" * 300: "File name too long",
    }.items():
        with pytest.raises(StreamError, match=rf"cannot be opened \({reason}.*\); .* check the path"):
            opened(tmp_path / name)


def test_a_forbidden_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.wav"
    soundfile.write(path, sound(100), 16_000)
    path.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)  # root may read everything; nobody may not
    try:
        with pytest.raises(StreamError, match=r"secret.wav' cannot be opened \(Permission denied\)"):
            opened(path)
    finally:
        if root:
            os.seteuid(0)
