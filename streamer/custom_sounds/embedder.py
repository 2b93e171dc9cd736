"""Compute the embeddings of a recording as they would be live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from streamer.custom_sounds.moving_mean import MovingMean
from streamer.dsp.level import LevelMeter, dbfs
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Chain, offline
from streamer.dsp.timeline import Timeline
from streamer.inference.model import Model

SILENCE_S = 1.0
"""Silence before and after a recording, in seconds: an ear that starts on the sound itself responds to the start."""
AUDIBLE_DB = 30.0
"""Steps that are softer than the loudest one by more decibels than this are pauses."""


@dataclass(frozen=True)
class RecordingEmbeddings:
    """Embeddings of a recording.

    Attributes
    ----------
    pooled : float32 array, shape (steps, embedding_size)
        Mean of the last `Embedder.window_steps` embeddings at each step, from the start of the recording to a second
        after its end. These are the values that are compared live.
    audible : bool array, shape (steps of the recording,)
        Whether the embedding of a step describes sound and no pause. The embedding of a step describes the step before.
        It lacks the steps of the second after the end.
    mean : float32 array, shape (embedding_size,)
        Mean of the embeddings of the audible steps, which describes the sound.
    """

    pooled: Array
    audible: Array
    mean: Array

    @property
    def windows(self) -> Array:
        """Rows of `pooled` of the audible steps, shape (audible steps, embedding_size)."""
        return np.asarray(self.pooled[: len(self.audible)][self.audible])


@dataclass(frozen=True)
class Embedder:
    """Computes the embeddings of recordings, each with silence before and after it.

    Attributes
    ----------
    ear : Model
        Embedding model.
    window_steps : int
        Number of embeddings that are averaged for `RecordingEmbeddings.pooled`, that of the background.
    """

    ear: Model
    window_steps: int

    @property
    def rate_hz(self) -> int:
        """Sample rate, in Hz, of the sound that `levels` and `embed` take."""
        return self.ear.manifest.log_mel.sample_rate_hz

    @property
    def step_samples(self) -> int:
        """Number of samples from one embedding to the next."""
        manifest = self.ear.manifest
        return manifest.hop_frames * manifest.log_mel.hop_samples

    def levels(self, samples: Array) -> Array:
        """Return the level in dBFS of every whole step (`step_samples`) of a sound at `rate_hz`: shape (steps,)."""
        powers = offline(LevelMeter(Timeline.every(self.step_samples)), samples[None])[0, :, 0]
        return np.array([dbfs(power) for power in powers])

    def embed(self, samples: Array) -> RecordingEmbeddings:
        """Return the embeddings of a recording, computed with a second of silence before and after it.

        Parameters
        ----------
        samples : float32 array, shape (samples,)
            Recording at `rate_hz`, two steps (`step_samples`) or more; full scale is -1 to 1.

        Returns
        -------
        RecordingEmbeddings
        """
        before = round(SILENCE_S * self.rate_hz / self.step_samples)
        silence = np.zeros(before * self.step_samples, np.float32)
        stages = Chain(LogMel(self.ear.manifest.log_mel), self.ear)
        embeddings = offline(stages, np.concatenate([silence, samples, silence])[None])
        pooled = offline(MovingMean(self.window_steps, embeddings.shape[2]), embeddings)
        levels = self.levels(samples)
        audible = np.zeros(len(levels), bool)
        audible[1:] = (levels >= levels.max() - AUDIBLE_DB)[:-1]
        audible[-1] |= not audible.any()  # the whole sound lies in the last step
        mean = embeddings[0, before : before + len(audible)][audible].mean(axis=0)
        return RecordingEmbeddings(np.asarray(pooled[0, before:]), audible, np.asarray(mean))
