"""Test sound files that are read as fast as possible."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.sources.file import FileSource
from streamer.sources.timing.paced import Paced
from tests.sources.source_contract import check_source, read_all

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def sound(frames: int = 12_000, channels: int = 2) -> Array:
    rng = np.random.default_rng(4)
    return (0.2 * rng.standard_normal((frames, channels))).clip(-1, 1).astype(np.float32)


def opened(path: Path) -> FileSource:
    source = FileSource(path)
    source.open()
    return source


def encoded(path: Path, *options: str) -> Path:
    """`sound()` in a form that libsndfile does not write."""
    wav = path.with_name("plain.wav")
    soundfile.write(wav, sound(), 22_050)
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", wav, *options, path], check=True)
    return path


def decoded_by_ffmpeg(path: Path, channels: int = 2) -> Array:
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, "<f4").reshape(-1, channels)


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
