"""Sound files, made to be read by `FileSource`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.sources.file import FileSource

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
