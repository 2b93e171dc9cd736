"""Test that zeros which fill up a container are no sound by any way, and that those within the sound are."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.sources.formats.container import Unpacker
from streamer.sources.formats.containers.walk import LONGEST_FILL
from tests.sources.test_odd_files import heard_by_all_ways

FRAMES, RATE_HZ = 5_001, 16_000
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def written(path: Path, form: str, subtype: str) -> bytes:
    counts = np.random.default_rng(3).integers(1, 2**14, FRAMES)
    soundfile.write(path, counts / 2**15, RATE_HZ, format=form, subtype=subtype)
    return path.read_bytes()


def fed(content: bytes, piece_bytes: int) -> bytes:
    """Return the sound that an unpacker takes out of `content`, which comes in pieces."""
    unpacker, sound = Unpacker(), b""
    for at in range(0, len(content), piece_bytes):
        piece = content[at : at + piece_bytes]
        unpacker.feed(piece, is_last=at + piece_bytes >= len(content))
        sound += unpacker.taken(len(unpacker.sound))
    return sound


@needs_ffmpeg
@pytest.mark.parametrize("zeros", [512, 70_000])
@pytest.mark.parametrize(
    ("form", "subtype"), [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("AIFF", "PCM_S8"), ("CAF", "PCM_16")]
)
def test_zeros_that_fill_a_file_up_are_no_sound(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, form: str, subtype: str, zeros: int
) -> None:
    path = tmp_path / f"a.{form.lower()}"
    content = written(path, form, subtype)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    path.write_bytes(content + bytes(zeros))
    for x in heard_by_all_ways(path).values():
        np.testing.assert_array_equal(x, expected)
    assert caplog.text == ""


@needs_ffmpeg
def test_zeros_within_the_sound_of_a_killed_recorder_are_heard(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    content = written(path, "WAV", "PCM_16")
    path.write_bytes(content + bytes(70_000) + content[44:])
    for way, x in heard_by_all_ways(path).items():
        assert (way, len(x)) == (way, 2 * FRAMES + 35_000)
        np.testing.assert_array_equal(x[:FRAMES], x[FRAMES + 35_000 :])
        assert not x[FRAMES : FRAMES + 35_000].any()


@pytest.mark.parametrize("piece_bytes", [1_000, 65_536])
def test_zeros_are_held_back_until_it_is_known_what_they_are(tmp_path: Path, piece_bytes: int) -> None:
    content = written(tmp_path / "a.wav", "WAV", "PCM_16")
    sound = content[44:]
    assert fed(content + bytes(30_000), piece_bytes) == sound
    assert fed(content + bytes(30_000) + b"\1\1", piece_bytes) == sound + bytes(30_000) + b"\1\1"
    without_length = content[:40] + struct.pack("<I", 0) + bytes(30_000)
    assert fed(without_length, piece_bytes) == bytes(30_000)


def test_more_zeros_than_fill_a_file_up_are_sound(tmp_path: Path) -> None:
    content = written(tmp_path / "a.wav", "WAV", "PCM_16")
    assert len(fed(content + bytes(LONGEST_FILL + 2), 1 << 20)) == len(content) - 44 + LONGEST_FILL + 2
