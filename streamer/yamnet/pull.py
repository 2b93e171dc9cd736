"""Obtain YAMNet, from TensorFlow Hub or from a folder, and convert it to a model folder."""

from __future__ import annotations

from pathlib import Path

from streamer.yamnet.answers import PUBLISHED, bundled_sound, read_answers
from streamer.yamnet.folder import Check, hop_frames_of, write_folder
from streamer.yamnet.parity import EXACT, Difference
from streamer.yamnet.saved_model import read_saved_model
from streamer.yamnet.tfhub import HubYAMNet


def pull_yamnet(source: str, hop_ms: float, folder: Path) -> list[Difference]:
    """Convert a published YAMNet to a model folder, and return by how much it differs from what it should give.

    A handle is loaded by ``tensorflow_hub``, which also gives the scores to compare with. A folder is read without
    TensorFlow and compared with stored answers.

    Parameters
    ----------
    source : str
        A handle of TensorFlow Hub, such as ``https://tfhub.dev/google/yamnet/1``, or the folder of a SavedModel.
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
        If the model cannot be fetched or read, is not YAMNet, or gives other scores after the conversion.
    """
    hop_frames = hop_frames_of(hop_ms)
    if "://" in source:
        published = HubYAMNet(source)
        return write_folder(
            published.weights(), hop_frames, [Check(published, EXACT)], [bundled_sound()], folder
        )
    answers = read_answers()
    return write_folder(
        read_saved_model(Path(source)),
        hop_frames,
        [Check(answers, PUBLISHED)],
        answers.sounds(hop_frames),
        folder,
    )
