"""Test that sound keeps its level where files of other numbers of channels are joined end to end."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from tests.sources.test_odd_files import heard_by_all_ways

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

RATE_HZ = 48_000


def written(path: Path, levels: tuple[float, ...]) -> bytes:
    """Write 1 s of a tone by ffmpeg, with an amplitude for each channel."""
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)
    wav = path.with_suffix(".wav")
    soundfile.write(wav, tone[:, None] * levels, RATE_HZ)
    subprocess.run(["ffmpeg", "-y", "-v", "error", "-i", wav, path], check=True)
    return path.read_bytes()


def levels_db(x: Array) -> Array:
    """Return the level of the middle of a second in each channel."""
    return np.asarray(10 * np.log10(np.mean(x[RATE_HZ // 4 : 3 * RATE_HZ // 4] ** 2, axis=0)))


@pytest.mark.parametrize(
    ("suffix", "first", "second"),
    [
        ("mp3", (0.25,), (0.25, 0.25)),
        ("mp3", (0.25,), (0.25, 0.125)),
        ("ogg", (0.25,), (0.25, 0.125)),
        ("ogg", (0.25, 0.125), (0.25,)),
        ("opus", (0.25, 0.125), (0.25,)),
        ("flac", (0.25,), (0.25, 0.125)),
        ("flac", (0.25, 0.125), (0.25,)),
        ("flac", (0.25,), (0.0, 0.0, 0.0, 0.3, 0.0, 0.0)),
    ],
)
def test_what_is_joined_has_the_mean_of_its_channels(
    tmp_path: Path, suffix: str, first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    path, paths = tmp_path / f"both.{suffix}", [tmp_path / f"{name}.{suffix}" for name in "ab"]
    path.write_bytes(written(paths[0], first) + written(paths[1], second))
    alone = [soundfile.read(part, always_2d=True)[0] for part in paths]
    mean = np.repeat(alone[1].mean(axis=1, keepdims=True), len(first), axis=1)
    for x in heard_by_all_ways(path).values():
        np.testing.assert_allclose(levels_db(x[:RATE_HZ]), levels_db(alone[0]), atol=0.2)
        np.testing.assert_allclose(levels_db(x[-RATE_HZ:]), levels_db(mean), atol=0.2)
