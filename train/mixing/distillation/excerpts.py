"""Excerpts of recordings, spread evenly over all of their time: examples of unmixed sound, beside those of scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from streamer.arrays import Array
from train.augment.recipe import Recipe, apply_recipe
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.mixing.presence import IGNORE, NAMES, OTHER, presence_of, without_pauses
from train.mixing.scenes import NO_CLASS, Scene

AUGMENTED_SHARE = 0.5
"""Share of the excerpts that are augmented; the others stay as recorded."""
RECIPE = Recipe(speed=0.3, move=0.0, room=0.25, far=0.1, codec=0.1, gain_db=(-40.0, 10.0))
"""Changes of the excerpts that are augmented."""


class Excerpts:
    """Cuts recordings, laid end to end, into excerpts of one length, with labels.

    Short recordings follow each other within one excerpt, and every hour of sound gives equally many excerpts.

    Parameters
    ----------
    sounds : SoundCache
        Sounds of the recordings.
    indices : sequence of int
        Indices of the recordings to be used, in the order in which they are laid end to end.
    is_ambiguous : callable
        ``is_ambiguous(recording)`` returns whether a recording is neither clearly music nor clearly not.
    """

    def __init__(
        self, sounds: SoundCache, indices: Sequence[int], is_ambiguous: Callable[[Recording], bool]
    ) -> None:
        self._sounds, self._indices = sounds, indices
        self._present = [_labels(sounds.recordings[index], is_ambiguous) for index in indices]
        self._ends = np.cumsum([sounds.length(index) for index in indices], dtype=np.int64)

    @property
    def hours(self) -> float:
        """Length of all recordings of `indices` together, in hours."""
        return float(self._ends[-1]) / RATE_HZ / 3600 if len(self._ends) else 0.0

    def make(self, rng: np.random.Generator, count: int, seconds: float) -> Iterator[Scene]:
        """Yield `count` excerpts, each from a random place in one of `count` equal spans of all recordings.

        An excerpt is a scene of unmixed sound at 16 kHz with labels for each sample. Of all, `AUGMENTED_SHARE` are
        augmented. Nothing is yielded where there are no recordings.

        Parameters
        ----------
        rng : numpy.random.Generator
            Generator of everything random.
        count : int
            Number of excerpts.
        seconds : float
            Length of an excerpt. If all recordings together are shorter, it ends in silence.
        """
        if not count or not len(self._ends):
            return
        samples = round(seconds * RATE_HZ)
        span = max(0, int(self._ends[-1]) - samples) / count
        for number in range(count):
            sound, present, classes = self._excerpt(int((number + rng.random()) * span), samples)
            # A pause within a piece of music is neither learnt as music nor as its absence.
            present = without_pauses(present, sound)
            if rng.random() < AUGMENTED_SHARE:
                sound = apply_recipe(rng, sound, RECIPE)
            yield Scene(sound, present, classes)

    def _excerpt(self, first: int, samples: int) -> tuple[Array, Array, Array]:
        """Return sound, labels of music and voices, and of everyday sounds, for each sample from `first` on."""
        sound = np.zeros(samples, np.float32)
        present = np.full((len(NAMES), samples), OTHER, np.int8)
        classes = np.full(samples, NO_CLASS, np.int8)
        place, filled = int(np.searchsorted(self._ends, first, side="right")), 0
        while filled < samples and place < len(self._ends):
            index = self._indices[place]
            skipped = first + filled - int(self._ends[place]) + self._sounds.length(index)
            piece = self._sounds.samples(index, skipped, samples - filled)
            part = slice(filled, filled + len(piece))
            sound[part], present[:, part] = piece, np.array(self._present[place])[:, None]
            # Effects may belong to any class, and there are no labels that say to which.
            classes[part] = IGNORE if self._sounds.recordings[index].kind == "sound" else NO_CLASS
            filled, place = filled + len(piece), place + 1
        return sound, present, classes


def _labels(recording: Recording, is_ambiguous: Callable[[Recording], bool]) -> tuple[int, int, int]:
    return (IGNORE, OTHER, IGNORE) if is_ambiguous(recording) else presence_of(recording)
