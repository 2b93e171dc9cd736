"""From recordings to what a label is recognised by."""

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


def learner(loaded: ModelCache) -> SoundLearner:
    """Who makes models of what the user taught: on the released ear.

    Raises
    ------
    ModelError
        If no ear is released that sounds can be taught on.
    """
    try:
        folder = find_model("ear")
    except ModelError as error:
        raise ModelError(f"sounds are taught on the released ear, and there is none: {error}") from error
    ear = loaded.model(folder)
    return SoundLearner(ear, read_background(folder, ear.manifest))


LEAST_S = 0.5
"""A recording that is shorter holds no whole sound and its end."""
LONGEST_S = 30.0
"""More of one recording is not heard: a handful of seconds tells what a sound is."""
MOST_IMPOSTORS = 0.05
"""Of all kinds of sound; what is nearer to them than this is noise, or everything at once."""
SILENT_DBFS = -60.0
"""A recording whose loudest step is softer is taken for silence."""


class UnlearnableError(StreamError):
    """Sound that nothing can be learnt from."""


@dataclass(frozen=True)
class SoundLearner:
    """Makes models of recordings.

    Attributes
    ----------
    ear : Model
    background : Background
        Of the same ear.
    """

    ear: Model
    background: Background

    @property
    def rate_hz(self) -> int:
        """Of the samples that it takes."""
        return self._hearer.rate_hz

    def check(self, samples: Array) -> None:
        """Refuse what nothing can be learnt from.

        Parameters
        ----------
        samples : float32 array, shape (samples,)
            Full scale is -1 to 1.

        Raises
        ------
        UnlearnableError
            If it is too short or silent, or so near to all kinds of sound that these would be taken for it.
        """
        seconds = len(samples) / self.rate_hz
        if seconds < LEAST_S:
            raise UnlearnableError(
                f"it lasts {seconds:.2f} s; expected at least {LEAST_S:g} s: record the whole sound"
            )
        loudest = float(self._hearer.levels(samples).max())
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
        """Share of all kinds of sound, 0 to 1, that would be taken for a label with these examples."""
        impostors = self.background.impostors.astype(np.float32)
        needed = self.background.operating_points["balanced"].on
        return float(np.mean(self.model({"it": examples}).scores(impostors) >= needed))

    def example(self, samples: Array) -> Array:
        """What a recording's sound is recognised by, float32, shape (components,), of length 1."""
        return self.background.directions(self._hearer.hear(samples).mean)

    def examples(self, recordings: Sequence[TaughtRecording]) -> Array:
        """One for each recording of a label, shape (recordings, components)."""
        return np.stack([self.example(one.samples(self.rate_hz)) for one in recordings])

    def model(self, examples: Mapping[str, Array]) -> TaughtModel:
        """The model that recognises labels by their examples, shape (recordings, components) each."""
        return TaughtModel(self.ear.manifest, self.background, examples)

    @cached_property
    def _hearer(self) -> Embedder:
        return Embedder(self.ear, self.background.window_steps)
