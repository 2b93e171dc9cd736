"""Test files that are valid and unusual: each is heard as ffmpeg or libsndfile hears it, by file, URL and pipe."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.sources.file import FileSource
from streamer.sources.formats.sound_file_kind import sound_file_kind
from streamer.sources.network.url import UrlSource
from tests.sources.formats.test_formats import heard_by_pipe
from tests.sources.servers import files, served
from tests.sources.source_contract import read_all

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

RATE_HZ, FRAMES, CLICK = 44_100, 66_150, 30_000


def click(path: Path, *options: str) -> bytes:
    """Write faint noise with a click by ffmpeg."""
    x = 0.003 * np.random.default_rng(4).standard_normal(FRAMES)
    x[CLICK] = 0.9
    soundfile.write(path.with_name("click.wav"), x, RATE_HZ)
    command = ["ffmpeg", "-y", "-v", "error", "-i", path.with_name("click.wav"), *options, path]
    subprocess.run(command, check=True)
    return path.read_bytes()


def heard_by_all_ways(path: Path) -> dict[str, np.ndarray]:
    got = {"pipe": heard_by_pipe(path)}
    with closing(FileSource(path)) as source:
        source.open()
        got["file"] = read_all(source)
    with (
        served(files({f"/{path.name}": path.read_bytes()})) as server,
        closing(UrlSource(f"http://{server}/{path.name}")) as source,
    ):
        source.open()
        got["url"] = read_all(source)
    return got


def as_it_is(content: bytes) -> bytes:
    return content


def with_id3_before(content: bytes, length: int = 900_000) -> bytes:
    places = bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + places + bytes(length) + content


def with_id3v1_behind(content: bytes) -> bytes:
    return content + b"TAG" + b"name" + bytes(121)


def with_id3v2_behind(content: bytes) -> bytes:
    return content + b"ID3\x04\0\0\0\0\x0f\x50" + b"text" * 500


def with_ape_behind(content: bytes) -> bytes:
    tag = struct.pack("<8s4I8x", b"APETAGEX", 2_000, 32, 0, 1 << 31)
    return content + tag


def with_zeros_behind(content: bytes) -> bytes:
    return content + bytes(100)


def with_a_long_list(content: bytes) -> bytes:
    return content[:12] + b"LIST" + struct.pack("<I", 300_000) + b"INFO" + bytes(299_996) + content[12:]


def big_endian(content: bytes) -> bytes:
    """Return a WAV of 16 bits as a RIFX."""
    at = content.index(b"data") + 8
    head = b"RIFX" + struct.pack(">I", len(content[at:]) + 36) + b"WAVEfmt "
    head += struct.pack(">IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    return (
        head
        + b"data"
        + struct.pack(">I", len(content[at:]))
        + np.frombuffer(content[at:], "<i2").byteswap().tobytes()
    )


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options", "change"),
    [
        ("a.wav", (), with_id3v1_behind),
        ("a.wav", (), with_id3v2_behind),
        ("a.wav", (), with_ape_behind),
        ("a.wav", (), with_zeros_behind),
        ("a.wav", (), with_a_long_list),
        ("a.wav", ("-map_metadata", "-1", "-fflags", "+bitexact"), big_endian),
        ("a.wav", ("-write_bext", "1", "-metadata", "description=x"), as_it_is),
        ("a.w64", ("-c:a", "pcm_f32le"), as_it_is),
        ("a.aiff", ("-write_id3v2", "1", "-metadata", "title=x"), as_it_is),
        ("a.flac", (), with_id3_before),
        ("a.flac", (), with_id3v1_behind),
        ("a.mp3", ("-c:a", "libmp3lame"), with_id3_before),
        ("a.mp3", ("-c:a", "libmp3lame"), with_id3v1_behind),
        ("a.mp3", ("-c:a", "libmp3lame"), with_ape_behind),
        ("a.wv", (), with_ape_behind),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", "-"),
)
def test_what_stands_about_the_sound_changes_nothing(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    options: tuple[str, ...],
    change: Callable[[bytes], bytes],
) -> None:
    path = tmp_path / name
    path.write_bytes(change(click(path, *options)))
    for way, x in heard_by_all_ways(path).items():
        assert (way, len(x), int(np.abs(x[:, 0]).argmax())) == (way, FRAMES, CLICK)
    assert caplog.text == ""


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("a.mp3", ("-c:a", "libmp3lame", "-b:a", "64k"), "MP3 or MP2"),
        ("a.mp3", ("-c:a", "libmp3lame", "-b:a", "320k"), "MP3 or MP2"),
        ("a.mp2", (), "MP3 or MP2"),
        ("a.aac", ("-b:a", "64k"), "AAC"),
    ],
)
def test_a_radio_cut_within_a_frame_is_no_raw_sound(
    tmp_path: Path, name: str, options: tuple[str, ...], kind: str
) -> None:
    path = tmp_path / name
    content = click(path, *options)
    begin = len(content) // 3
    for cut in range(begin, begin + 100, 7):
        assert sound_file_kind(content[cut : cut + 4_096]) == kind
    path.write_bytes(content[begin + 50 :])
    got = {way: len(x) for way, x in heard_by_all_ways(path).items()}
    assert 0.6 * FRAMES < got["pipe"] < 0.72 * FRAMES
    assert max(got.values()) - min(got.values()) <= 1_152


@needs_ffmpeg
def test_an_mp3_that_begins_within_a_frame_is_not_cut_short(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(click(path, "-c:a", "libmp3lame", "-q:a", "4", "-write_xing", "0")[700:])
    got = heard_by_all_ways(path)
    for x in got.values():
        np.testing.assert_array_equal(x, got["pipe"])
    assert "cut short" not in caplog.text


@needs_ffmpeg
def test_a_wavpack_of_six_channels_is_heard_by_all_ways(tmp_path: Path) -> None:
    path = tmp_path / "a.wv"
    click(path, "-ac", "6")
    for way, x in heard_by_all_ways(path).items():
        assert (way, x.shape[1], len(x), int(np.abs(x).max(axis=1).argmax())) == (way, 6, FRAMES, CLICK)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"), [("a.ogg", ("-c:a", "libvorbis")), ("a.flac", ()), ("a.opus", ("-c:a", "libopus"))]
)
def test_many_channels_have_one_order_by_all_ways(
    tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    t, path = np.arange(96_000) / 48_000, tmp_path / name
    tones = np.stack([0.2 * np.sin(2 * np.pi * hz * t) for hz in (300, 450, 600, 40, 900, 1_050)], axis=1)
    soundfile.write(tmp_path / "six.wav", tones, 48_000)
    subprocess.run(["ffmpeg", "-y", "-v", "error", "-i", tmp_path / "six.wav", *options, path], check=True)
    for way, x in heard_by_all_ways(path).items():
        peaks = np.abs(np.fft.rfft(x[24_000:72_000], axis=0)).argmax(axis=0)
        assert (way, *peaks) == (way, 300, 450, 600, 40, 900, 1_050)


@needs_ffmpeg
def test_an_alac_of_libsndfile_is_whole_by_all_ways(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, x = tmp_path / "a.caf", np.zeros(FRAMES, np.float32)
    x[CLICK] = 0.9
    soundfile.write(path, x, RATE_HZ, format="CAF", subtype="ALAC_16")
    for way, got in heard_by_all_ways(path).items():
        assert (way, len(got), int(np.abs(got[:, 0]).argmax())) == (way, FRAMES, CLICK)
    assert "cut short" not in caplog.text


@pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
def test_an_ircam_of_any_machine_is_no_raw_sound(tmp_path: Path, endian: str) -> None:
    path, x = tmp_path / "a.sf", np.zeros(FRAMES, np.float32)
    soundfile.write(path, x, RATE_HZ, format="IRCAM", subtype="PCM_16", endian=endian)
    assert sound_file_kind(path.read_bytes()) == "IRCAM"


@pytest.mark.parametrize("level_db", [-96, -80, -60, -40, -20, 0])
def test_raw_sound_is_not_taken_for_mpeg(level_db: int) -> None:
    rng = np.random.default_rng(-level_db)
    for _ in range(200):
        x = np.cumsum(rng.standard_normal(2_048)) / 45 if rng.random() < 0.5 else rng.standard_normal(2_048)
        raw = np.clip(x * 10 ** (level_db / 20) * 2**15, -(2**15), 2**15 - 1).astype("<i2").tobytes()
        assert sound_file_kind(raw) is None


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mpg", ("-c:a", "mp2", "-f", "mpeg")),
        ("a.m2ts", ("-c:a", "ac3", "-mpegts_m2ts_mode", "1")),
        ("a.dts", ("-c:a", "dca", "-strict", "-2")),
        ("a.thd", ("-c:a", "truehd", "-strict", "-2")),
        ("a.nut", ("-c:a", "pcm_s16le")),
        (
            "a.rm",
            (
                "-c:a",
                "ac3",
            ),
        ),
        ("a.ircam", ("-f", "ircam")),
        ("a.adx", ("-c:a", "adpcm_adx")),
    ],
)
def test_a_sound_file_through_a_pipe_is_no_raw_sound(
    tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    path = tmp_path / name
    click(path, *options)
    got = {way: (len(x), int(np.abs(x[:, 0]).argmax())) for way, x in heard_by_all_ways(path).items()}
    assert got["pipe"] == got["file"] == got["url"]


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["mp3", "m4a", "wav", "flac"])
def test_a_file_from_a_mac_is_heard_whole_beside_its_attributes(tmp_path: Path, suffix: str) -> None:
    """On a stick macOS keeps attributes of ``a.mp3`` in ``._a.mp3``; libsndfile takes that for a part of the MP3."""
    path = tmp_path / f"a.{suffix}"
    click(path)
    fork = struct.pack(">II16sHIIIIII", 0x00051607, 0x00020000, b"Mac OS X", 2, 9, 50, 3760, 2, 3810, 286)
    path.with_name(f"._{path.name}").write_bytes(fork.ljust(4096, b"\0"))
    for way, x in heard_by_all_ways(path).items():
        assert abs(int(np.abs(x[:, 0]).argmax()) - CLICK) <= 0.03 * RATE_HZ, way
        assert len(x) >= FRAMES, way
