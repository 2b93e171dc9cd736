"""Test that what only libsndfile reads is heard by file, URL and pipe alike, and told from raw PCM."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.sources.formats.libsndfile_kind import libsndfile_kind
from tests.sources.formats.test_formats import heard_by_pipe
from tests.sources.test_odd_files import CLICK, FRAMES, RATE_HZ, click, heard_by_all_ways

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

QUICK = (
    ("MAT5", "DOUBLE", "LITTLE"),
    ("HTK", "PCM_16", "FILE"),
    ("SVX", "PCM_8", "FILE"),
    ("AIFF", "DWVW_16", "FILE"),
)
SLOW = (
    ("MAT4", "PCM_16", "BIG"),
    ("MAT4", "DOUBLE", "LITTLE"),
    ("MAT5", "PCM_U8", "BIG"),
    ("MPC2K", "PCM_16", "FILE"),
    ("PAF", "PCM_24", "BIG"),
    ("PAF", "PCM_24", "LITTLE"),
    ("SDS", "PCM_16", "FILE"),
    ("SVX", "PCM_16", "FILE"),
    ("WVE", "ALAW", "FILE"),
    ("XI", "DPCM_16", "FILE"),
    ("AIFF", "GSM610", "FILE"),
    ("WAV", "NMS_ADPCM_32", "FILE"),
)
CASES = [pytest.param(*case, id="-".join(case)) for case in QUICK] + [
    pytest.param(*case, id="-".join(case), marks=pytest.mark.slow) for case in SLOW
]


def written(path: Path, form: str, subtype: str, endian: str) -> None:
    x = 0.003 * np.random.default_rng(4).standard_normal(FRAMES)
    x[CLICK] = 0.9
    rate_hz = 8_000 if subtype in ("ALAW", "GSM610") or "ADPCM" in subtype else RATE_HZ
    known = "PCM_S8" if subtype == "PCM_8" else subtype
    soundfile.write(path, x, rate_hz, format=form, subtype=known, endian=endian)


@pytest.mark.parametrize(("form", "subtype", "endian"), CASES)
def test_what_only_libsndfile_reads_is_heard_by_all_ways(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, form: str, subtype: str, endian: str
) -> None:
    path = tmp_path / f"a.{form.lower()}"
    written(path, form, subtype, endian)
    assert libsndfile_kind(path.read_bytes()[:4_096])
    got = heard_by_all_ways(path)
    assert FRAMES <= len(got["file"]) < FRAMES + 200
    assert "NMS" in subtype or int(np.abs(got["file"][:, 0]).argmax()) == CLICK
    for x in got.values():
        np.testing.assert_array_equal(x, got["file"])
    assert caplog.text == ""


def flac_of_8_bits(path: Path, channels: int = 1) -> bytes:
    """Write 1 s of noise behind 2 s of digital silence."""
    x = np.zeros((3 * RATE_HZ, channels))
    x[2 * RATE_HZ :] = np.random.default_rng(5).uniform(-0.5, 0.5, (RATE_HZ, channels))
    soundfile.write(path, x, RATE_HZ, format="FLAC", subtype="PCM_S8")
    return path.read_bytes()


@pytest.mark.parametrize("channels", [1, 2])
def test_the_silence_of_a_flac_of_8_bits_is_heard_by_all_ways(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, channels: int
) -> None:
    flac_of_8_bits(path := tmp_path / "a.flac", channels)
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0]
    for x in heard_by_all_ways(path).values():
        np.testing.assert_array_equal(x, expected)
    assert caplog.text == ""


def test_both_parts_of_a_joined_flac_of_8_bits_are_heard_by_pipe(tmp_path: Path) -> None:
    content = flac_of_8_bits(path := tmp_path / "a.flac")
    path.write_bytes(content + content)
    x = heard_by_pipe(path)[:, 0]
    assert np.abs(x[-RATE_HZ:]).max() > 0.4
    assert np.count_nonzero(np.abs(x) > 0.1) == 2 * np.count_nonzero(np.abs(x[-RATE_HZ:]) > 0.1)


def test_a_flac_of_8_bits_that_goes_on_is_decoded_as_it_comes(tmp_path: Path) -> None:
    content = flac_of_8_bits(tmp_path / "a.flac")
    assert libsndfile_kind(content) == "FLAC"
    assert libsndfile_kind(content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:]) is None


@pytest.mark.parametrize(
    "form", ["WAV", "AIFF", "AU", "CAF", "FLAC", "OGG", "W64", "NIST", "IRCAM", "VOC", "AVR", "PVF"]
)
def test_what_ffmpeg_reads_is_none_of_these(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a"
    soundfile.write(path, np.zeros(1_000), RATE_HZ, format=form)
    assert libsndfile_kind(path.read_bytes()) is None


def test_a_voc_of_several_blocks_is_heard_without_their_headers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.voc"
    click(path)
    raw = subprocess.run(
        ["ffmpeg", "-v", "quiet", "-i", path, "-f", "u8", "-"], capture_output=True, check=True
    ).stdout
    for way, x in heard_by_all_ways(path).items():
        assert (way, len(x), int(np.abs(x[:, 0]).argmax())) == (way, len(raw), CLICK)
    assert caplog.text == ""
