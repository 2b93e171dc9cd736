"""What an ear makes of a recording, as it would make it live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from streamer.custom_sounds.moving_mean import MovingMean
from streamer.dsp.level import LevelMeter, dbfs
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Chain, offline
from streamer.inference.model import Model

SILENCE_S = 1.0
"""Before and after a recording: an ear that starts on the sound itself hears its own beginning too."""
AUDIBLE_DB = 30.0
"""What is softer than the loudest step by more is a pause."""


@dataclass(frozen=True)
class RecordingEmbeddings:
    """What an ear made of a recording.

    Attributes
    ----------
    pooled : float32 array, shape (steps, embedding_size)
        As a listener would compare it, from the sound's start to a second after its end.
    audible : bool array, shape (fewer steps,)
        Which steps of the sound are no pause, each told one step late, as its embedding is.
    mean : float32 array, shape (embedding_size,)
        Of the embeddings of these, pauses left out: what the sound is like.
    """

    pooled: Array
    audible: Array
    mean: Array

    @property
    def windows(self) -> Array:
        """Pooled embeddings of the audible steps, shape (audible steps, embedding_size)."""
        return np.asarray(self.pooled[: len(self.audible)][self.audible])


@dataclass(frozen=True)
class Embedder:
    """Hears recordings from silence to silence.

    Attributes
    ----------
    ear : Model
    window_steps : int
        Embeddings that are pooled.
    """

    ear: Model
    window_steps: int

    @property
    def rate_hz(self) -> int:
        """Of the samples that it takes."""
        return self.ear.manifest.log_mel.sample_rate_hz

    @property
    def step_samples(self) -> int:
        """Samples from one embedding to the next."""
        manifest = self.ear.manifest
        return manifest.hop_frames * manifest.log_mel.hop_samples

    def levels(self, samples: Array) -> Array:
        """Decibels re full scale of every whole step of a sound, shape (steps,)."""
        powers = offline(LevelMeter(self.step_samples), samples[None])[0, :, 0]
        return np.array([dbfs(power) for power in powers])

    def hear(self, samples: Array) -> RecordingEmbeddings:
        """Hear a recording.

        Parameters
        ----------
        samples : float32 array, shape (samples,)
            Full scale is -1 to 1; two steps or more.
        """
        before = round(SILENCE_S * self.rate_hz / self.step_samples)
        silence = np.zeros(before * self.step_samples, np.float32)
        stages = Chain(LogMel(self.ear.manifest.log_mel), self.ear)
        embeddings = offline(stages, np.concatenate([silence, samples, silence])[None])
        pooled = offline(MovingMean(self.window_steps, embeddings.shape[2]), embeddings)
        levels = self.levels(samples)
        audible = np.zeros(len(levels), bool)
        audible[1:] = (levels >= levels.max() - AUDIBLE_DB)[:-1]
        audible[-1] |= not audible.any()  # all of it in the last step
        mean = embeddings[0, before : before + len(audible)][audible].mean(axis=0)
        return RecordingEmbeddings(np.asarray(pooled[0, before:]), audible, np.asarray(mean))
