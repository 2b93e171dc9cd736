"""YAMNet's stored scores and embeddings for windows of the bundled recording, to compare with without TensorFlow."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile
import soxr

from streamer.arrays import Array
from streamer.demo_recording import DEMO_PATH
from streamer.dsp.log_mel import LogMelConfig
from streamer.yamnet.parity import Tolerance
from streamer.yamnet.weights import PATCH_FRAMES, WINDOW_SAMPLES

PUBLISHED = Tolerance(score=0.25, embedding=0.2)
"""Tolerance for the published weights against the stored answers, whose weights were rounded to 8 bits once. It
lies above what noise of that size in the weights changes, and below what another activation or training changes."""
STEPS = np.iinfo(np.uint16).max
"""Number of steps in which the stored numbers are counted, from 0 to the largest."""


@dataclass(frozen=True)
class Answers:
    """Scores and embeddings of a YAMNet for windows of the bundled recording.

    Attributes
    ----------
    recording : str
        SHA-256 of the file of the recording.
    stops : int array, shape (windows,)
        End of each window, in samples at 16 kHz.
    scores : float32 array, shape (windows, 521)
    embeddings : float32 array, shape (windows, 1024)
    """

    recording: str
    stops: Array
    scores: Array
    embeddings: Array

    name = "YAMNet's stored answers"

    def __call__(self, windows: Array) -> tuple[Array, Array]:
        """Return the stored scores and embeddings; `windows` must be those that `sounds` leads to."""
        assert len(windows) == len(self.stops)
        return self.scores, self.embeddings

    def sounds(self, hop_frames: int) -> list[Array]:
        """Return pieces of the recording, each of whole hops, so that a stepped model's last step is on one window."""
        sound, frame_samples = bundled_sound(), LogMelConfig().hop_samples
        frames = -(-PATCH_FRAMES // hop_frames) * hop_frames
        length = WINDOW_SAMPLES + (frames - PATCH_FRAMES) * frame_samples
        return [sound[stop - length : stop] for stop in self.stops]


def read_answers() -> Answers:
    """Return the answers that come with Streamer."""
    with (files("streamer") / "data" / "yamnet-answers.npz").open("rb") as file, np.load(file) as stored:
        scores, embeddings = (
            (stored[name] * (stored[f"{name}_largest"] / STEPS)).astype(np.float32)
            for name in ("scores", "embeddings")
        )
        return Answers(str(stored["recording"]), stored["stops"], scores, embeddings)


def write_answers(answers: Answers, path: Path) -> None:
    """Write answers as `read_answers` reads them: numbers of 16 bits, times the largest number."""
    largest = float(answers.scores.max()), float(answers.embeddings.max())
    scores, embeddings = (
        np.rint(values * (STEPS / most)).astype(np.uint16)
        for values, most in zip((answers.scores, answers.embeddings), largest, strict=True)
    )
    np.savez_compressed(
        path,
        recording=np.array(answers.recording),
        stops=answers.stops,
        scores=scores,
        scores_largest=largest[0],
        embeddings=embeddings,
        embeddings_largest=largest[1],
    )


def bundled_sound() -> Array:
    """Return the bundled recording as float32 mono at 16 kHz."""
    sound, rate_hz = soundfile.read(DEMO_PATH, dtype="float32", always_2d=True)
    mono: Array = soxr.resample(sound.mean(axis=1), rate_hz, LogMelConfig().sample_rate_hz)
    return mono


def recording_sha256() -> str:
    """Return the SHA-256 of the file of the bundled recording."""
    return hashlib.sha256(DEMO_PATH.read_bytes()).hexdigest()
