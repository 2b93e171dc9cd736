"""Decode the files of a recording to mono, at 16 kHz by default, or say why it cannot be used."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr

from streamer.arrays import Array
from streamer.dsp.downmix import downmixed
from streamer.errors import StreamError
from train.data.recordings import Recording

RATE_HZ = 16_000
FULL_SCALE = 32_768.0
FFMPEG_TIMEOUT_S = 120.0


class ClipError(StreamError):
    """Raised for a clip that is absent, empty, broken, silent or shorter than its data set says."""


def decode(recording: Recording, rate_hz: int = RATE_HZ) -> Array:
    """Return the sound of a recording, mono: the mean of all channels of all its files.

    Parameters
    ----------
    recording : Recording
        Recording to read. If its files have different lengths, they are cut to the shortest.
    rate_hz : int
        Sample rate of the result, in hertz.

    Returns
    -------
    int16 array, shape (samples,)
        Full scale is `FULL_SCALE`.

    Raises
    ------
    ClipError
        If a file cannot be read, or the sound is silent or too short to learn from.
    """
    parts = [read_mono(path, stream, rate_hz) for path, stream in recording.files]
    shortest = min(len(part) for part in parts)
    mean = np.mean([part[:shortest] for part in parts], axis=0)
    sound: Array = np.clip(np.round(mean * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    if not sound.any():
        raise ClipError(f"{recording.paths[0]} is silent; expected sound")
    if len(sound) < recording.min_seconds * rate_hz:
        raise ClipError(
            f"{recording.paths[0]} lasts {len(sound) / rate_hz:.2f} s; "
            f"{recording.source} should have at least {recording.min_seconds:g} s"
        )
    return sound


def read_mono(path: Path, stream: int = 0, rate_hz: int = RATE_HZ) -> Array:
    """Return one stream of a file at `rate_hz`, mixed as live sound is; float32, shape (samples,).

    Raises
    ------
    ClipError
        If the file cannot be read, is empty, or has samples that are not finite.
    """
    if not path.is_file():
        raise ClipError(f"{path} is not there; expected a sound file")
    sound, own_rate_hz = read_sound(path, stream)
    if not len(sound):
        raise ClipError(f"{path} is empty; expected sound")
    if not np.isfinite(sound).all():
        raise ClipError(f"{path} has samples that are not finite; expected -1 to 1")
    mono = downmixed(sound, own_rate_hz)
    if own_rate_hz == rate_hz:
        return mono
    resampled: Array = soxr.resample(mono, own_rate_hz, rate_hz)
    return resampled


def read_sound(path: Path, stream: int = 0) -> tuple[Array, int]:
    """Return the sound of a file at its own rate, with its own channels.

    libsndfile decodes the file, or ffmpeg where libsndfile cannot.

    Parameters
    ----------
    path : Path
        Sound file to read.
    stream : int
        Index among the sound streams of the file.

    Returns
    -------
    sound : float32 array, shape (samples, channels)
        Samples; full scale is -1 to 1.
    rate_hz : int
        Sample rate of the sound, in hertz.

    Raises
    ------
    ClipError
        If the file cannot be read.
    """
    if stream:  # libsndfile reads only the first stream of a file
        reason = f"it is wanted for its stream {stream}."
    else:
        try:
            return _decode_by_libsndfile(path)
        except (soundfile.LibsndfileError, MemoryError, ValueError) as error:
            # MemoryError and ValueError come from broken headers, which may claim any length.
            reason = str(error)
    if shutil.which("ffmpeg") is None:
        raise ClipError(f"{path} cannot be read: {reason}; with ffmpeg installed, more formats can")
    try:
        return _decode_by_ffmpeg(path, stream)
    except (ValueError, subprocess.TimeoutExpired, soundfile.LibsndfileError) as error:
        raise ClipError(f"{path} cannot be read: {reason} ffmpeg: {error}") from None


def _decode_by_libsndfile(file: Path | io.BytesIO) -> tuple[Array, int]:
    sound, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    return sound, int(rate_hz)


def _decode_by_ffmpeg(path: Path, stream: int) -> tuple[Array, int]:
    """Decode by ffmpeg; raise ValueError with ffmpeg's own message."""
    form = ["-map", f"0:a:{stream}", "-f", "au", "-c:a", "pcm_f32be", "pipe:1"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *form]
    done = subprocess.run(command, capture_output=True, timeout=FFMPEG_TIMEOUT_S, check=False)
    if done.returncode:
        messages = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(messages[-1] if messages else f"status {done.returncode}")
    return _decode_by_libsndfile(io.BytesIO(done.stdout))
