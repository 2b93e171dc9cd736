"""Voices and accompaniments of other data sets than songs with stems, from which remixes are made as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.data.sets.all_sound import ONLY_MEASURED, unambiguous_recordings
from train.data.sets.catalogue import DATA_SETS
from train.mixing.presence import OTHER, PRESENT, presence_of

VOICES = frozenset({"singing", "speech"})
"""Kinds of recordings of a voice alone."""
CHOIR = "choir"
"""Category of rendered music with the sound of voices, which is no accompaniment."""


def lone_voices(data: Sequence[str], root: Path, cache: Path, folds: Sequence[int]) -> list[Recording]:
    """Return the recordings of singing or speaking alone of some data sets and folds.

    Parameters
    ----------
    data : sequence of str
        Names in `train.data.sets.catalogue`.
    root, cache : Path
        Folder of the data sets, and folder of all caches.
    folds : sequence of int
        Folds to take.

    Raises
    ------
    ConfigError
        If a name is unknown, a set is only for measuring or is not there, or no recording is left of one.
    """
    return _of_each("voices", data, lambda r: r.kind in VOICES, root, cache, folds)


def accompaniments(data: Sequence[str], root: Path, cache: Path, folds: Sequence[int]) -> list[Recording]:
    """Return the recordings of music without any voice of some data sets and folds; see `lone_voices`."""
    return _of_each("accompaniments", data, _is_accompaniment, root, cache, folds)


class LoneStems:
    """Gives excerpts of recordings, all samples of all of them being equally likely.

    Parameters
    ----------
    sounds : SoundCache
        Sounds of at least one recording.
    """

    def __init__(self, sounds: SoundCache) -> None:
        self.cache = sounds
        lengths = np.array([sounds.length(n) for n in range(len(sounds))], np.float64)
        self._weights = lengths / lengths.sum()

    def draw(self, rng: np.random.Generator, samples: int) -> Array:
        """Return up to `samples` samples of a recording at 16 kHz, fewer only if it is shorter."""
        index = int(rng.choice(len(self.cache), p=self._weights))
        first = int(rng.integers(max(1, self.cache.length(index) - samples)))
        return self.cache.samples(index, first, samples)


def _is_accompaniment(recording: Recording) -> bool:
    return presence_of(recording) == (PRESENT, OTHER, OTHER) and recording.category != CHOIR


def _of_each(
    key: str,
    data: Sequence[str],
    wanted: Callable[[Recording], bool],
    root: Path,
    cache: Path,
    folds: Sequence[int],
) -> list[Recording]:
    found = []
    known = [name for name in DATA_SETS if name not in ONLY_MEASURED]
    for name in data:
        if name not in known:
            raise ConfigError(f"{key} names {name!r}; expected some of {', '.join(known)}")
        own = [r for r in unambiguous_recordings(root, cache, folds, [name]) if wanted(r)]
        if not own:
            raise ConfigError(
                f"{key} names {name!r}, which has none in folds {', '.join(map(str, folds))}; expected a data set with "
                "some: leave it out"
            )
        found += own
    return found
