"""Fetch YAMNet from TensorFlow Hub, and convert it to a model folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import soundfile
import soxr

from streamer.arrays import Array
from streamer.yamnet.folder import Check, hop_frames_of, write_folder
from streamer.yamnet.parity import EXACT, Difference
from streamer.yamnet.tfhub import HubYAMNet


def pull_yamnet(handle: str, hop_ms: float, folder: Path) -> list[Difference]:
    """Convert a YAMNet that ``tensorflow_hub.load`` reads to a model folder, and return the difference of the two.

    Parameters
    ----------
    handle : str
        A handle of TensorFlow Hub, or the folder of a SavedModel.
    hop_ms : float
        Time from one score to the next, a multiple of 10.
    folder : Path
        Folder to write, made if absent.

    Returns
    -------
    list of Difference
        The measured differences.

    Raises
    ------
    ConfigError
        If `hop_ms` is invalid.
    ModelError
        If the model cannot be fetched, is not YAMNet, or gives other scores after the conversion.
    """
    hop_frames = hop_frames_of(hop_ms)
    published = HubYAMNet(handle)
    return write_folder(
        published.weights(), hop_frames, [Check(published, EXACT)], [_bundled_sound()], folder
    )


def _bundled_sound() -> Array:
    """Return the bundled recording as float32 mono at 16 kHz."""
    with (files("streamer") / "data" / "demo.ogg").open("rb") as file:
        sound, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    mono: Array = soxr.resample(sound.mean(axis=1), rate_hz, 16_000)
    return mono
