"""YAMNet from where Google publishes it to a model folder, checked against TensorFlow's own."""

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
    """Write a model folder out of what ``tensorflow_hub.load`` takes, checked against it on the bundled recording.

    Parameters
    ----------
    handle : str
        A handle of the hub, or the folder of a SavedModel.
    hop_ms : float
        From one score to the next, a multiple of 10.
    folder : Path
        Made if absent.

    Returns
    -------
    list of Difference
        What was measured.

    Raises
    ------
    ConfigError
        If `hop_ms` cannot be.
    ModelError
        If it cannot be fetched, is no YAMNet, or comes out otherwise than it went in.
    """
    hop_frames = hop_frames_of(hop_ms)
    published = HubYAMNet(handle)
    return write_folder(
        published.weights(), hop_frames, [Check(published, EXACT)], [_bundled_sound()], folder
    )


def _bundled_sound() -> Array:
    """The recording that comes with the program, float32, 16 kHz mono."""
    with (files("streamer") / "data" / "demo.ogg").open("rb") as file:
        sound, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    mono: Array = soxr.resample(sound.mean(axis=1), rate_hz, 16_000)
    return mono
