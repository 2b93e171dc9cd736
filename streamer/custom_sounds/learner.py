"""Compute what a taught label is recognised by, and refuse recordings that nothing can be learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from streamer.arrays import Array
from streamer.custom_sounds.background import Background, read_background
from streamer.custom_sounds.embedder import Embedder
from streamer.custom_sounds.model import TaughtModel
from streamer.custom_sounds.store import TaughtRecording
from streamer.errors import ModelError, StreamError
from streamer.inference.model import Model
from streamer.inference.model_cache import ModelCache
from streamer.inference.model_folders import find_model


def load_learner(cache: ModelCache) -> SoundLearner:
    """Return a learner that uses the released ear.

    Raises
    ------
    ModelError
        If the released ear is absent or damaged, or has no background.
    """
    try:
        folder = find_model("ear")
    except ModelError as error:
        raise ModelError(f"sounds are taught on the released ear, and there is none: {error}") from error
    ear = cache.model(folder)
    return SoundLearner(ear, read_background(folder, ear.manifest))


LEAST_S = 0.5
"""Shortest recording, in seconds: a shorter one does not hold a whole sound and its end."""
LONGEST_S = 30.0
"""Seconds of a recording after which the rest is ignored: a few seconds describe a sound."""
MOST_IMPOSTORS = 0.05
"""Largest share of all kinds of sound that may be taken for a taught one; a recording above it is noise, or everything
at once."""
SILENT_DBFS = -60.0
"""Level of the loudest step below which a recording is taken for silence."""


class UnlearnableError(StreamError):
    """Raised for a recording that nothing can be learnt from."""


@dataclass(frozen=True)
class SoundLearner:
    """Makes models that recognise taught labels, from recordings of these.

    Attributes
    ----------
    ear : Model
        Embedding model.
    background : Background
        Background of the same ear.
    """

    ear: Model
    background: Background

    @property
    def rate_hz(self) -> int:
        """Sample rate, in Hz, of the recordings that its methods take."""
        return self._embedder.rate_hz

    def check(self, samples: Array) -> None:
        """Raise an error if nothing can be learnt from a recording; otherwise do nothing.

        Parameters
        ----------
        samples : float32 array, shape (samples,)
            Recording at `rate_hz`; full scale is -1 to 1.

        Raises
        ------
        UnlearnableError
            If the recording is too short, or silent, or too many impostors would be taken for its sound.
        """
        seconds = len(samples) / self.rate_hz
        if seconds < LEAST_S:
            raise UnlearnableError(
                f"it lasts {seconds:.2f} s; expected at least {LEAST_S:g} s: record the whole sound"
            )
        loudest = float(self._embedder.levels(samples).max())
        if loudest < SILENT_DBFS:
            raise UnlearnableError(
                f"it is silent (its loudest moment has {loudest:.0f} dBFS); expected {SILENT_DBFS:g} dBFS or more: "
                "record it nearer or louder"
            )
        share = self.impostors(self.example(samples)[None])
        if share > MOST_IMPOSTORS:
            raise UnlearnableError(
                f"it hardly differs from other sounds ({share:.0%} of all kinds of sound would be taken for it; "
                f"expected at most {MOST_IMPOSTORS:.0%}): record it nearer, with less noise"
            )

    def impostors(self, examples: Array) -> float:
        """Return the share, 0 to 1, of the background's impostors that would be taken for a label with these examples.

        Parameters
        ----------
        examples : float32 array, shape (recordings, components)
            Examples of one label, as `example` returns them.
        """
        impostors = self.background.impostors.astype(np.float32)
        needed = self.background.operating_points["balanced"].on
        return float(np.mean(self.model({"it": examples}).scores(impostors) >= needed))

    def example(self, samples: Array) -> Array:
        """Return the vector that describes a recording, its example; `model` takes the examples of a label.

        Parameters
        ----------
        samples : float32 array, shape (samples,)
            Recording of one sound at `rate_hz`, one that `check` accepts; full scale is -1 to 1.

        Returns
        -------
        float32 array, shape (components,)
            Its mean embedding, whitened by the background and scaled to length 1.
        """
        return self.background.directions(self._embedder.embed(samples).mean)

    def examples(self, recordings: Sequence[TaughtRecording]) -> Array:
        """Return the examples of several recordings, each as by `example`: float32, shape (recordings, components)."""
        return np.stack([self.example(one.samples(self.rate_hz)) for one in recordings])

    def model(self, examples: Mapping[str, Array]) -> TaughtModel:
        """Return the model that recognises labels, given for each the array that `examples` returns."""
        return TaughtModel(self.ear.manifest, self.background, examples)

    @cached_property
    def _embedder(self) -> Embedder:
        return Embedder(self.ear, self.background.window_steps)
