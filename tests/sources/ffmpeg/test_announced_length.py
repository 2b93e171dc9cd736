"""Test that a container that is cut short says by how much, and that what is whole is heard without a word."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.sources.formats import tags
from tests.sources.formats.test_formats import heard_by_pipe
from tests.sources.test_odd_files import CLICK, RATE_HZ, click, heard_by_all_ways

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.flv", ("-c:a", "libmp3lame")),
        ("a.mkv", ("-c:a", "flac")),
        ("a.wma", ("-c:a", "wmav2")),
    ],
)
def test_what_is_cut_short_says_by_how_much(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, options: tuple[str, ...]
) -> None:
    path = tmp_path / name
    content = click(path, *options)
    assert len(heard_by_pipe(path)) > RATE_HZ
    assert caplog.text == ""
    path.write_bytes(content[: int(0.6 * len(content))])
    heard_s = len(heard_by_pipe(path)) / RATE_HZ
    told = caplog.text.partition("is cut short, or has gaps: ")[2]
    missing_s, announced_s = (
        float(told.split(" s are")[0]),
        float(told.split("missing of the ")[1].split(" s")[0]),
    )
    assert missing_s + heard_s == pytest.approx(announced_s, abs=0.02)
    assert announced_s == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(
    ("name", "options", "before", "behind"),
    [
        ("a.flv", (), tags.id3v2(), b""),
        ("a.flv", (), b"", tags.id3v1()),
        ("a.m4a", ("-movflags", "faststart"), tags.id3v2(), b""),
        ("a.mkv", (), tags.id3v2(), tags.id3v1()),
    ],
    ids=["FLV behind ID3", "FLV before ID3", "M4A", "Matroska"],
)
def test_tags_about_a_container_are_no_damage(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    options: tuple[str, ...],
    before: bytes,
    behind: bytes,
) -> None:
    path = tmp_path / name
    path.write_bytes(before + click(path, "-c:a", "aac", *options) + behind)
    got = heard_by_all_ways(path)
    for way, x in got.items():
        assert abs(int(np.abs(x[:, 0]).argmax()) - CLICK) <= 1, way
        assert len(x) == len(got["pipe"]), way
    assert caplog.text == ""


def test_a_film_whose_sound_ends_before_its_picture_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "film.mkv"
    picture, sound = "color=s=16x16:d=2:r=5", "sine=d=1:sample_rate=44100"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, "-c:a", "flac", path], check=True)
    assert len(heard_by_pipe(path)) == RATE_HZ
    assert caplog.text == ""
