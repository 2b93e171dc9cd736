"""A recording's files to 16 kHz mono, or why it is of no use."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr

from streamer.arrays import Array
from streamer.errors import StreamError
from train.data.recordings import Recording

RATE_HZ = 16_000
FULL_SCALE = 32_768.0
FFMPEG_TIMEOUT_S = 120.0


class ClipError(StreamError):
    """A clip that is absent, empty, broken, silent or shorter than its data set says."""


def decode(recording: Recording) -> Array:
    """The mean of a recording's files at `RATE_HZ`.

    Parameters
    ----------
    recording : Recording
        Files of unlike lengths are cut to the shortest.

    Returns
    -------
    int16 array, shape (samples,)
        Full scale is `FULL_SCALE`.

    Raises
    ------
    ClipError
        If a file cannot be read, or what it holds cannot be learnt from.
    """
    parts = [_at_rate(path, stream) for path, stream in recording.files]
    shortest = min(len(part) for part in parts)
    mean = np.mean([part[:shortest] for part in parts], axis=0)
    sound = np.clip(np.round(mean * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    if not sound.any():
        raise ClipError(f"{recording.paths[0]} is silent; expected sound")
    if len(sound) < recording.min_seconds * RATE_HZ:
        raise ClipError(
            f"{recording.paths[0]} lasts {len(sound) / RATE_HZ:.2f} s; "
            f"{recording.source} should have at least {recording.min_seconds:g} s"
        )
    return sound


def _at_rate(path: Path, stream: int) -> Array:
    """One stream of a file, its channels averaged, at `RATE_HZ`; float32, shape (samples,)."""
    if not path.is_file():
        raise ClipError(f"{path} is not there; expected a sound file")
    sound, rate_hz = read(path, stream)
    if not len(sound):
        raise ClipError(f"{path} is empty; expected sound")
    if not np.isfinite(sound).all():
        raise ClipError(f"{path} has samples that are not finite; expected -1 to 1")
    mono = sound.mean(axis=1)
    return mono if rate_hz == RATE_HZ else soxr.resample(mono, rate_hz, RATE_HZ)


def read(path: Path, stream: int = 0) -> tuple[Array, int]:
    """A file as it is, by libsndfile, or by ffmpeg where libsndfile cannot read it.

    Parameters
    ----------
    path : Path
    stream : int
        Which of its sound streams.

    Returns
    -------
    sound : float32 array, shape (samples, channels)
    rate_hz : int

    Raises
    ------
    ClipError
        If it cannot be read.
    """
    if stream:  # libsndfile knows of one stream in a file
        first = f"it is wanted for its stream {stream}."
    else:
        try:
            return soundfile.read(path, dtype="float32", always_2d=True)
        except (
            soundfile.LibsndfileError,
            MemoryError,
            ValueError,
        ) as error:  # a broken header may claim any length
            first = str(error)
    if shutil.which("ffmpeg") is None:
        raise ClipError(f"{path} cannot be read: {first}; with ffmpeg installed, more formats can")
    try:
        return _read_by_ffmpeg(path, stream)
    except (ValueError, subprocess.TimeoutExpired, soundfile.LibsndfileError) as error:
        raise ClipError(f"{path} cannot be read: {first} ffmpeg: {error}") from None


def _read_by_ffmpeg(path: Path, stream: int) -> tuple[Array, int]:
    """As `read`; raises ValueError with what ffmpeg said."""
    form = ["-map", f"0:a:{stream}", "-f", "au", "-c:a", "pcm_f32be", "pipe:1"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *form]
    done = subprocess.run(command, capture_output=True, timeout=FFMPEG_TIMEOUT_S, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(said[-1] if said else f"status {done.returncode}")
    return soundfile.read(io.BytesIO(done.stdout), dtype="float32", always_2d=True)
