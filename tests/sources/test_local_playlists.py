"""Test playlists of this machine's files."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.sources.file import FileSource
from streamer.sources.network.playlist import entries_of
from tests.sources.source_contract import check_source, read_all

RATE_HZ, FRAMES = 44_100, 22_050


def tone(hz: int, rate_hz: int) -> Array:
    t = np.arange(rate_hz // 2) / rate_hz
    return (0.2 * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def heard(path: Path) -> tuple[int, Array]:
    with closing(FileSource(path)) as source:
        source.open()
        return source.rate_hz, read_all(source)


def loudest_hz(x: Array, rate_hz: int) -> int:
    return round(int(np.abs(np.fft.rfft(x)).argmax()) * rate_hz / len(x))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.m3u", "#EXTM3U\r\nGrüße.wav\r\n"),
        ("a.m3u8", "Grüße.wav\n"),
        ("a.pls", "[playlist]\nFile1=Grüße.wav\n"),
    ],
)
def test_a_playlist_may_be_in_utf_16(name: str, text: str, encoding: str) -> None:
    mark = {"utf-16-be": b"\xfe\xff", "utf-16-le": b"\xff\xfe"}.get(encoding, b"")
    assert entries_of(mark + text.encode(encoding), name) == ["Grüße.wav"]


def test_a_playlist_in_utf_16_is_opened(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "ä.wav", tone(500, RATE_HZ), RATE_HZ)
    (tmp_path / "list.m3u").write_bytes("#EXTM3U\r\nä.wav\r\nä.wav\r\n".encode("utf-16"))
    rate_hz, x = heard(tmp_path / "list.m3u")
    assert (rate_hz, x.shape) == (RATE_HZ, (2 * FRAMES, 1))


def of_matlab(path: Path) -> None:
    soundfile.write(path, tone(1_000, 16_000), 16_000, format="MAT5", subtype="PCM_16")


def of_a_killed_recorder(path: Path) -> None:
    soundfile.write(path, tone(1_000, 16_000), 16_000, format="WAV", subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(4) + content[8:40] + bytes(4) + content[44:])


def of_two_parts(path: Path) -> None:
    soundfile.write(path, tone(1_000, 16_000)[:4_000], 16_000, format="FLAC")
    path.write_bytes(2 * path.read_bytes())


def of_matroska(path: Path) -> None:
    soundfile.write(path, tone(1_000, 16_000), 16_000, format="WAV")
    command = ["ffmpeg", "-v", "error", "-i", path, "-c:a", "flac", path.with_suffix(".mkv")]
    subprocess.run(command, check=True)
    path.with_suffix(".mkv").replace(path)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("write", [of_matlab, of_a_killed_recorder, of_two_parts, of_matroska])
@pytest.mark.parametrize("first_channels", [1, 2])
def test_a_file_of_any_kind_is_heard_in_the_format_of_the_first(
    tmp_path: Path, write: object, first_channels: int
) -> None:
    assert callable(write)
    first = np.tile(tone(500, RATE_HZ)[:, None], first_channels)
    soundfile.write(tmp_path / "first.wav", first, RATE_HZ)
    write(tmp_path / "second")
    (tmp_path / "list.m3u").write_text("first.wav\nsecond\n")
    rate_hz, x = heard(tmp_path / "list.m3u")
    assert (rate_hz, x.shape) == (RATE_HZ, (2 * FRAMES, first_channels))
    for channel in x.T:
        assert loudest_hz(channel[:FRAMES], RATE_HZ) == 500
        assert abs(loudest_hz(channel[FRAMES:], RATE_HZ) - 1_000) <= 2
        assert 0.19 < np.abs(channel[FRAMES + 1_000 : -1_000]).max() < 0.21


def test_a_converted_file_keeps_the_contract(tmp_path: Path) -> None:
    """It is the same however it is cut, and what cancels itself in the mean of its channels is not lost."""
    soundfile.write(tmp_path / "first.wav", tone(500, 16_000), 16_000)
    x = tone(1_000, RATE_HZ)
    soundfile.write(tmp_path / "second.wav", np.stack([x, -x], axis=1), RATE_HZ)
    (tmp_path / "list.m3u").write_text("first.wav\nsecond.wav\n")
    _, expected = heard(tmp_path / "list.m3u")
    assert expected.shape == (16_000, 1)
    assert np.abs(expected[12_000:]).max() > 0.15
    check_source(lambda: FileSource(tmp_path / "list.m3u"), expected, 16_000)
