"""Scenes: sounds of known kind one after the other and on top of each other, with a label for each step.

The labels are `MUSIC`, `OTHER` and `IGNORE`, which means that nobody can say: too soon after a change, music
drowned in other sound, a pause within a piece.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from streamer.stage import Array
from train import augment
from train.data.cache import RATE_HZ, SoundCache
from train.data.recordings import Kind
from train.data.synthetic import MAKERS

MUSIC, OTHER, IGNORE = 1, 0, -1
QUIETEST_DB = -62.0
"""Music below this active level (dB re full scale) is ignored: the front end's log offset hides it."""
PARTS = (
    "music",
    "music+speech",
    "music+sound",
    "speech",
    "speech+sound",
    "sound",
    "synthetic",
    "silence",
)


@dataclass(frozen=True)
class SceneConfig:
    """How scenes are made up.

    Attributes
    ----------
    seconds : float
        Length of a scene.
    shortest_s, longest_s : float
        Of each part.
    weights : tuple of float
        How often each of `PARTS` occurs; their sum is 1.
    audible_db : float
        Music with other sound counts as music from this level re that sound on; below it is ignored.
    unknowable_s : float
        Ignored after a change, and at the start.
    """

    seconds: float = 8.0
    shortest_s: float = 0.8
    longest_s: float = 6.0
    weights: tuple[float, ...] = (0.27, 0.15, 0.09, 0.15, 0.06, 0.14, 0.07, 0.07)
    audible_db: float = -10.0
    unknowable_s: float = 0.3


class Scenes:
    """Makes scenes out of decoded recordings.

    Parameters
    ----------
    cache : SoundCache
        The recordings, all of one split.
    config : SceneConfig
    """

    def __init__(self, cache: SoundCache, config: SceneConfig) -> None:
        self._cache = cache
        self._config = config
        pools: dict[Kind, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, recording in enumerate(cache.recordings):
            pools[recording.kind][recording.source].append(index)
        # By source first: else the set with the most files would be most of what is heard.
        self._pools = {kind: list(by_source.values()) for kind, by_source in pools.items()}

    def make(self, rng: np.random.Generator, samples: int) -> tuple[Array, Array]:
        """One scene.

        Parameters
        ----------
        rng : numpy.random.Generator
        samples : int
            Its length.

        Returns
        -------
        sound : float32 array, shape (samples,)
        labels : int8 array, shape (samples,)
        """
        c = self._config
        sound, labels = np.zeros(samples, np.float32), np.full(samples, OTHER, np.int8)
        level_db = rng.uniform(-50.0, -6.0)
        first = 0
        while first < samples:
            length = min(samples - first, int(rng.uniform(c.shortest_s, c.longest_s) * RATE_HZ))
            part = PARTS[rng.choice(len(PARTS), p=c.weights)]
            piece, piece_labels = self._part(rng, part, length)
            piece_db = level_db - rng.uniform(0.0, 15.0)
            if piece_db < QUIETEST_DB:
                piece_labels = np.where(piece_labels == MUSIC, IGNORE, piece_labels)
            sound[first : first + length] = augment.at_level(piece, piece_db)
            labels[first : first + length] = piece_labels
            first += length
        return _as_heard(rng, sound, level_db), labels

    def _part(self, rng: np.random.Generator, part: str, samples: int) -> tuple[Array, Array]:
        """One part of a scene at any level, and its labels."""
        labels = np.full(samples, OTHER, np.int8)
        if part == "silence":
            return np.zeros(samples, np.float32), labels
        if part == "synthetic":
            return MAKERS[rng.integers(len(MAKERS))](rng, samples), labels
        kinds = part.split("+")
        over_db = rng.uniform(-15.0, 25.0) if len(kinds) > 1 else 0.0
        piece = _faded(rng, self._source(rng, kinds[0], samples))
        if kinds[0] == "music":
            heard = over_db >= self._config.audible_db
            labels = np.where(augment.audible(piece) & heard, MUSIC, IGNORE).astype(np.int8)
        for kind in kinds[1:]:
            other = self._source(rng, kind, samples)
            piece = augment.at_level(piece, over_db) + augment.at_level(other, 0.0)
        return piece, labels

    def _source(self, rng: np.random.Generator, kind: str, samples: int) -> Array:
        """Sound of one kind from a random place on, of a random speed; short recordings follow each other."""
        out: list[Array] = []
        missing = samples
        pools = self._pools[kind]  # type: ignore[index]
        pool = pools[rng.integers(len(pools))]
        while missing > 0:
            index = pool[rng.integers(len(pool))]
            speed = rng.uniform(0.85, 1.15) if rng.random() < 0.5 else 1.0
            wanted = int(missing * speed) + 2
            first = rng.integers(max(1, self._cache.length(index) - wanted + 1))
            piece = self._cache.samples(index, int(first), wanted)
            piece = piece if speed == 1.0 else augment.change_speed(piece, speed)
            out.append(piece[:missing])
            missing -= len(out[-1])
        sound = np.concatenate(out)
        return augment.random_filter(rng, sound) if rng.random() < 0.4 else sound


def step_labels(labels: Array, hop_samples: int, config: SceneConfig) -> Array:
    """Labels of model steps out of labels of samples.

    Step ``k`` is labelled by the last sample that only it has heard, ``(k + 1) * hop_samples - 1``.

    Parameters
    ----------
    labels : int8 array, shape (samples,)
    hop_samples : int
        Samples per step.
    config : SceneConfig

    Returns
    -------
    int8 array, shape (samples // hop_samples,)
    """
    steps = labels[hop_samples - 1 :: hop_samples].copy()
    wait = round(config.unknowable_s * RATE_HZ / hop_samples)
    changes = np.flatnonzero(np.diff(steps) != 0) + 1
    for change in [0, *changes.tolist()]:
        steps[change : change + wait] = IGNORE
    return steps


def _faded(rng: np.random.Generator, x: Array) -> Array:
    """Fade in and out, in 2 ms to half a second."""
    y = x.copy()
    for end in (y, y[::-1]):
        length = min(len(y), int(np.exp(rng.uniform(np.log(0.002), np.log(0.5))) * RATE_HZ))
        end[:length] *= np.linspace(0.0, 1.0, length, dtype=np.float32)
    return y


def _as_heard(rng: np.random.Generator, x: Array, level_db: float) -> Array:
    """A whole scene as a microphone gives it: noise of room and converter, rounding, overload."""
    if rng.random() < 0.25:
        x = augment.reverberate(rng, x)
    if rng.random() < 0.5:
        x = augment.add_noise(rng, x, level_db - rng.uniform(15.0, 50.0))
    if rng.random() < 0.15:
        x = augment.random_filter(rng, x)
    if rng.random() < 0.6:
        x = augment.add_noise(rng, x, rng.uniform(-95.0, -65.0))
    if rng.random() < 0.15:
        x = augment.quantise(x, 8)
    if rng.random() < 0.08:
        x = x * np.float32(augment.from_db(rng.uniform(0.0, 40.0)))
    return augment.clip(x).astype(np.float32)
