"""Test that an MP3 is heard from its first frame to its last by file, URL and pipe, whatever stands about it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from streamer.sources.formats.mpeg_begin import FIRST_FRAME_BYTES, first_frame
from tests.sources.formats import tags
from tests.sources.formats.test_formats import heard_by_pipe
from tests.sources.test_odd_files import CLICK, FRAMES, click, heard_by_all_ways

pytestmark = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("lame")), reason="ffmpeg or lame is not installed"
)

UNTAGGED_FRAMES, DELAY = 67_968, 1_105
"""Length of the sound in an MP3 without a tag, in whole MPEG frames, and the encoder's and the decoder's delay."""


def written(path: Path, *options: str) -> bytes:
    click(path.with_name("a.wav"))
    command = ["lame", "--quiet", *options, path.with_name("click.wav"), path]
    subprocess.run(command, check=True, capture_output=True)
    return path.read_bytes()


QUICK = (
    (tags.id3v2(100) + tags.id3v2_with_picture(300_000), b"", "two ID3v2"),
    (tags.id3v2(2_000) + tags.ape(), tags.ape() + tags.lyrics3() + tags.id3v1(), "all tags"),
    (tags.noise(20_000), tags.noise(5_000), "noise"),
)
SLOW = (
    (tags.id3v1(), tags.lyrics3() + tags.id3v1(), "ID3v1, Lyrics3"),
    (tags.id3v2_with_picture(2_000_000), tags.id3v2(), "a picture, ID3v2 behind"),
    (bytes(50_000), tags.ape(has_header=False) + tags.id3v1(), "zeros, APE without a header"),
    (tags.id3v2(3_000) + tags.noise(3_000), b"", "noise behind ID3v2"),
    (tags.noise(1_000), b"", "little noise"),
)
CASES = [pytest.param(before, behind, id=name) for before, behind, name in QUICK] + [
    pytest.param(before, behind, id=name, marks=pytest.mark.slow) for before, behind, name in SLOW
]


@pytest.mark.parametrize(
    ("options", "frames", "at"),
    [
        (("-b", "96"), FRAMES, CLICK),
        pytest.param(("-V", "4"), FRAMES, CLICK, marks=pytest.mark.slow),
        pytest.param(("-b", "320"), FRAMES, CLICK, marks=pytest.mark.slow),
        (("-t", "-b", "96"), UNTAGGED_FRAMES, CLICK + DELAY),
    ],
    ids=["CBR", "VBR", "320 kbit/s", "no tag"],
)
@pytest.mark.parametrize(("before", "behind"), CASES)
def test_what_stands_about_an_mp3_changes_nothing(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    options: tuple[str, ...],
    frames: int,
    at: int,
    before: bytes,
    behind: bytes,
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(before + written(path, *options) + behind)
    for way, x in heard_by_all_ways(path).items():
        assert (way, len(x), int(np.abs(x[:, 0]).argmax())) == (way, frames, at)
    assert caplog.text == ""


def test_zeros_behind_an_mp3_with_a_tag_are_no_damage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(written(path) + bytes(50_000))
    for way, x in heard_by_all_ways(path).items():
        assert (way, len(x), int(np.abs(x[:, 0]).argmax())) == (way, FRAMES, CLICK)
    assert caplog.text == ""


def with_vbri(content: bytes) -> bytes:
    """Return an MP3 of 44.1 kHz with Fraunhofer's tag, which says how long it is, in a first frame of 128 kbit/s."""
    header = content[:2] + bytes([0x90 | content[2] & 0x0C]) + content[3:4]
    mpeg_frames = UNTAGGED_FRAMES // 1_152
    tag = b"VBRI" + struct.pack(">HHHIIHHHH", 1, 0, 75, len(content) + 417, mpeg_frames, 1, 1, 2, mpeg_frames)
    return (header + bytes(32) + tag + struct.pack(">H", 0)).ljust(417, b"\0") + content


@pytest.mark.parametrize("before", [b"", tags.id3v2()], ids=["alone", "ID3v2"])
def test_an_mp3_with_fraunhofers_tag_is_heard_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: bytes
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(before + with_vbri(written(path, "-t", "-V", "4")))
    for way, x in heard_by_all_ways(path).items():
        assert (way, len(x), int(np.abs(x[:, 0]).argmax())) == (way, UNTAGGED_FRAMES, CLICK + DELAY)
    assert caplog.text == ""


def test_an_mp3_through_a_pipe_that_is_cut_short_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.mp3"
    content = written(path, "-b", "96")
    path.write_bytes(content[: len(content) // 2])
    assert len(heard_by_pipe(path)) < 0.6 * FRAMES
    assert f"is cut short (it announces {FRAMES} frames): " in caplog.text


@pytest.mark.parametrize("level_db", [-90, -60, -30, 0])
def test_raw_sound_is_not_searched_for_mpeg_in_vain(level_db: int) -> None:
    rng = np.random.default_rng(-level_db)
    length = FIRST_FRAME_BYTES // 2
    for _ in range(10):
        x = (
            np.cumsum(rng.standard_normal(length)) / 300
            if rng.random() < 0.5
            else rng.standard_normal(length)
        )
        raw = np.clip(x * 10 ** (level_db / 20) * 2**15, -(2**15), 2**15 - 1).astype("<i2").tobytes()
        assert first_frame(raw) is None
