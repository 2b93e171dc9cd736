"""Test that a FLAC is heard to its true end by file, URL and pipe, whatever its header announces."""

from __future__ import annotations

import mmap
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.errors import StreamError
from streamer.sources.file import FileSource
from streamer.sources.formats.flac_end import frames_held
from tests.sources.formats import tags
from tests.sources.formats.test_formats import heard_by_pipe
from tests.sources.source_contract import read_all
from tests.sources.test_odd_files import CLICK, FRAMES, click, heard_by_all_ways

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def announcing(content: bytes, frames: int) -> bytes:
    """Return a FLAC whose header announces `frames` (RFC 9639, 8.2)."""
    first = int.from_bytes(content[18:26], "big") >> 36 << 36
    return content[:18] + (first | frames).to_bytes(8, "big") + content[26:]


def held(path: Path) -> int | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return frames_held(content, 0)


@pytest.mark.parametrize("frames", [0, 1_000, FRAMES - 1, (1 << 36) - 1])
@pytest.mark.parametrize("behind", [b"", tags.id3v1(), tags.noise(5_000)], ids=["whole", "ID3v1", "noise"])
def test_a_header_of_another_length_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, frames: int, behind: bytes
) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(announcing(click(path), frames) + behind)
    for way, x in heard_by_all_ways(path).items():
        assert (way, len(x), int(np.abs(x[:, 0]).argmax())) == (way, FRAMES, CLICK)
    assert caplog.text == ""


def test_flacs_that_were_joined_with_their_tags_are_heard_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(2 * (tags.id3v2() + click(path) + tags.id3v1()))
    for way, x in heard_by_all_ways(path).items():
        assert (way, len(x), int(np.abs(x[FRAMES:, 0]).argmax())) == (way, 2 * FRAMES, CLICK)
    assert caplog.text == ""


@pytest.mark.parametrize("before", [b"", tags.id3v2()], ids=["alone", "ID3v2"])
def test_a_length_that_is_too_long_is_told_alike_by_file_and_pipe(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: bytes
) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(before + announcing(click(path), FRAMES + 1))
    source = FileSource(path)
    source.open()
    told = f"is cut short (it announces {FRAMES + 1} frames): {FRAMES} frames are read"
    assert len(read_all(source)) == len(heard_by_pipe(path)) == FRAMES
    assert caplog.text.count(told) == 2
    with pytest.raises(StreamError, match=r"URL .* is cut short \(it announces 66151 frames\)"):
        heard_by_all_ways(path)


def test_of_joined_flacs_the_one_that_is_short_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.flac"
    content = click(path)
    path.write_bytes(announcing(content, FRAMES + 1) + content)
    source = FileSource(path)
    source.open()
    assert len(read_all(source)) == 2 * FRAMES
    assert (
        caplog.text.count(f"is cut short (it announces {FRAMES + 1} frames): {FRAMES} frames are read") == 1
    )


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_the_last_block_is_found(tmp_path: Path, rate_hz: int, channels: int) -> None:
    rng = np.random.default_rng(5)
    for frames in (1, 100, 4_096, 30_000):
        x = 0.1 * rng.standard_normal((frames, channels))
        soundfile.write(tmp_path / "a.wav", x, rate_hz)
        soundfile.write(tmp_path / "a.flac", x, rate_hz)
        assert held(tmp_path / "a.flac") == frames
        if channels < 3 and shutil.which("flac"):
            command = ["flac", "-s", "-f", tmp_path / "a.wav", "-o", tmp_path / "b.flac"]
            subprocess.run(command, check=True, capture_output=True)
            assert held(tmp_path / "b.flac") == frames
