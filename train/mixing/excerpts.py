"""Excerpts of recordings, evenly over all of their time: lessons of sound as it is, beside those of scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from streamer.arrays import Array
from train import augment
from train.augment.recipe import Recipe, apply_recipe
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.mixing.scenes import IGNORE, MUSIC, NO_CLASS, OTHER, Scene

CHANGED = 0.5
"""Share of the excerpts that are augmented; the others stay as they were recorded."""
RECIPE = Recipe(speed=0.3, move=0.0, room=0.25, far=0.1, codec=0.1, gain_db=(-40.0, 10.0))


class Excerpts:
    """Cuts recordings, laid end to end, into excerpts of one length.

    So short recordings follow each other within one excerpt, and every hour of sound gives as many excerpts as every
    other.

    Parameters
    ----------
    sounds : SoundCache
    places : sequence of int
        Which of its recordings, in the order in which they are laid.
    in_doubt : callable
        Whether nobody can say if a recording is music.
    """

    def __init__(
        self, sounds: SoundCache, places: Sequence[int], in_doubt: Callable[[Recording], bool]
    ) -> None:
        self._sounds, self._places = sounds, places
        self._music = [_music_label(sounds.recordings[place], in_doubt) for place in places]
        self._ends = np.cumsum([sounds.length(place) for place in places], dtype=np.int64)

    @property
    def hours(self) -> float:
        """Length of all recordings together."""
        return float(self._ends[-1]) / RATE_HZ / 3600 if len(self._ends) else 0.0

    def make(self, rng: np.random.Generator, count: int, seconds: float) -> Iterator[Scene]:
        """Yield excerpts, one from each of `count` equal spans of the whole time, at a random place in its span.

        Parameters
        ----------
        rng : numpy.random.Generator
        count : int
        seconds : float
            Of an excerpt. What lies past the last recording is silence.
        """
        if not count or not len(self._ends):
            return
        samples = round(seconds * RATE_HZ)
        span = max(0, int(self._ends[-1]) - samples) / count
        for number in range(count):
            sound, music, classes = self._excerpt(int((number + rng.random()) * span), samples)
            music = np.where(augment.audible_mask(sound), music, np.where(music == MUSIC, IGNORE, music))
            if rng.random() < CHANGED:
                sound = apply_recipe(rng, sound, RECIPE)
            yield Scene(sound, music.astype(np.int8), classes)

    def _excerpt(self, first: int, samples: int) -> tuple[Array, Array, Array]:
        """Sound, label of music and label of everyday sounds, of each sample from `first` on."""
        sound = np.zeros(samples, np.float32)
        music, classes = np.full(samples, OTHER, np.int8), np.full(samples, NO_CLASS, np.int8)
        index, filled = int(np.searchsorted(self._ends, first, side="right")), 0
        while filled < samples and index < len(self._ends):
            place = self._places[index]
            skipped = first + filled - int(self._ends[index]) + self._sounds.length(place)
            piece = self._sounds.samples(place, skipped, samples - filled)
            part = slice(filled, filled + len(piece))
            sound[part], music[part] = piece, self._music[index]
            # Effects may be of any class, and nobody has said which.
            classes[part] = IGNORE if self._sounds.recordings[place].kind == "sound" else NO_CLASS
            filled, index = filled + len(piece), index + 1
        return sound, music, classes


def _music_label(recording: Recording, in_doubt: Callable[[Recording], bool]) -> int:
    if recording.kind == "singing" or in_doubt(recording):
        return IGNORE
    return MUSIC if recording.kind == "music" else OTHER
