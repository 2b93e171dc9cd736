"""Compare a model folder's scores and embeddings with those of YAMNet itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from streamer.inference.model_folders import verify_file
from streamer.inference.onnx import OnnxModel, open_session
from streamer.yamnet.weights import CLASSES, EMBEDDING_SIZE, PATCH_FRAMES, WINDOW_SAMPLES

EVERY = 4
"""Interval between the compared steps; neighbouring steps see almost the same sound."""


class Reference(Protocol):
    """YAMNet run by another program, such as TensorFlow, to compare a model folder with.

    It is called with windows of sound, and returns their scores and their embeddings as two arrays, with a row for each
    window. `name` is its name in messages and on the card.
    """

    name: str

    def __call__(self, windows: Array) -> tuple[Array, Array]: ...


@dataclass(frozen=True)
class Tolerance:
    """Largest allowed differences between a model and a reference.

    Attributes
    ----------
    score : float
        Largest allowed difference of a score, which is 0 to 1.
    embedding : float
        Largest allowed difference of a number in an embedding, as a share of the largest number.
    """

    score: float
    embedding: float


EXACT = Tolerance(score=2e-4, embedding=2e-4)
"""Tolerance for the same weights in another program, which adds float32 numbers in another order."""


@dataclass(frozen=True)
class Difference:
    """Measured differences between a model folder and a reference.

    Attributes
    ----------
    reference : str
        Name of the reference.
    windows : int
        Number of compared windows.
    score_median, score_largest : float
        Median and maximum, over windows, of the largest difference of a score.
    embedding_median, embedding_largest : float
        Median and maximum, over windows, of the largest difference of a number in an embedding, as shares of the
        largest number in all the reference's embeddings.
    """

    reference: str
    windows: int
    score_median: float
    score_largest: float
    embedding_median: float
    embedding_largest: float

    def __str__(self) -> str:
        return (
            f"{self.windows} windows against {self.reference}: scores differ by {self.score_median:.2g} (median of "
            f"each window's largest) and {self.score_largest:.2g} at most, embeddings by {self.embedding_median:.2g} "
            f"and {self.embedding_largest:.2g} of their largest number"
        )


def compare(folder: Path, reference: Reference, sounds: Sequence[Array]) -> Difference:
    """Return how far the scores and embeddings of a model folder, run step by step, are from those of a reference.

    Parameters
    ----------
    folder : Path
        A YAMNet's folder, as `streamer.yamnet.folder.write_folder` makes it.
    reference : Reference
        The YAMNet to compare with.
    sounds : sequence of float32 array, shape (samples,)
        Sounds at 16 kHz, at least one of them several hops longer than `WINDOW_SAMPLES`.

    Raises
    ------
    ModelError
        If no sound is long enough.
    """
    found = [_stepped(folder, sound) for sound in sounds]
    windows, scores, embeddings = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if not len(windows):
        raise ModelError(
            f"no sound to compare is as long as a window, {WINDOW_SAMPLES} samples; give a longer one"
        )
    expected_scores, expected_embeddings = reference(windows)
    score_gaps = np.abs(scores - expected_scores).max(axis=1)
    embedding_gaps = np.abs(embeddings - expected_embeddings).max(axis=1) / np.abs(expected_embeddings).max()
    return Difference(
        reference.name,
        len(windows),
        float(np.median(score_gaps)),
        float(score_gaps.max()),
        float(np.median(embedding_gaps)),
        float(embedding_gaps.max()),
    )


def check(difference: Difference, tolerance: Tolerance) -> None:
    """Raise an error if a model differs too much from a reference.

    Raises
    ------
    ModelError
        If a largest difference is above the tolerance, or NaN.
    """
    within = difference.score_largest <= tolerance.score
    if not (within and difference.embedding_largest <= tolerance.embedding):  # both false for NaN
        raise ModelError(
            f"{difference}; expected at most {tolerance.score:g} and {tolerance.embedding:g}: these weights are not "
            "read as they are meant, report it with their source"
        )


def _stepped(folder: Path, sound: Array) -> tuple[Array, Array, Array]:
    """Return windows, scores and embeddings of the steps that cover a whole window, run as in a live stream."""
    model = OnnxModel(folder)
    session = open_session(verify_file(folder, model.manifest))
    hop = model.manifest.hop_frames
    frames = offline(LogMel(model.manifest.log_mel), sound[None])
    (past,) = model.init_model_state()
    windows, scores, embeddings = [], [], []
    for stop in range(hop, frames.shape[1] + 1, hop):
        feeds = {"x": frames[:, stop - hop : stop], "state.0": past}
        past, all_scores, embedding = session.run(["next_state.0", "scores", "embedding"], feeds)
        if stop >= PATCH_FRAMES and (stop - PATCH_FRAMES) // hop % EVERY == 0:
            first = (stop - PATCH_FRAMES) * model.manifest.log_mel.hop_samples
            windows.append(sound[first : first + WINDOW_SAMPLES])
            scores.append(all_scores[0, 0])
            embeddings.append(embedding[0, 0])
    count = len(windows)
    return (
        np.array(windows, np.float32).reshape(count, WINDOW_SAMPLES),
        np.array(scores, np.float32).reshape(count, CLASSES),
        np.array(embeddings, np.float32).reshape(count, EMBEDDING_SIZE),
    )
