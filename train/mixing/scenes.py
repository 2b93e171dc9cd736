"""Scenes: sounds of known kind one after the other and mixed, with labels for each sample.

Labels of music, speech and singing are those of `train.mixing.presence`. Labels of everyday sounds are the index of a
class, `NO_CLASS` and `IGNORE`. `IGNORE` marks what cannot be labelled: too soon after a change, masked by other sound,
a pause within a recording, a song of which nobody has said where somebody sings in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train import augment
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.sets.synthetic import MAKERS
from train.mixing.presence import (
    IGNORE,
    NAMES,
    OTHER,
    drowned,
    is_solo,
    mixed_presence,
    presence_of,
    singing_of_song,
    without_pauses,
)
from train.mixing.sung_songs import at_samples

NO_CLASS = -2
"""Label of silence, and of sound that belongs to none of the classes."""
MIN_AUDIBLE_DB = -62.0
"""Lowest active level of labelled sound, in dB re full scale. Below it the front end's log offset hides the sound."""
PARTS = (
    "music",
    "music+speech",
    "music+sound",
    "speech",
    "speech+sound",
    "sound",
    "synthetic",
    "silence",
    "singing",
    "singing+sound",
    "song",
    "song+speech",
    "instrument",
    "instrument+sound",
    "singing+music",
)
SONG = "song"
"""Category of the recordings of whole songs whose voice is a recording of its own, ``STEM/voice`` for ``STEM/sum``."""
INSTRUMENT = "instrument"
"""Name of the parts with one instrument, or drums, alone."""
SPEED, VOICE_SPEED = (0.85, 1.15), (0.75, 1.33)
"""Lowest and highest speed of half of the recordings; that of voices makes more speakers and singers of few."""
VOICES = frozenset({"speech", "singing"})
WHOLE_SHARE_S = 300.0
"""Length of sound of a kind from which a data set gets a whole share of the parts of that kind."""


@dataclass(frozen=True)
class SceneConfig:
    """Settings of scenes: their length, their parts and how they are labelled.

    Attributes
    ----------
    seconds : float
        Length of a scene.
    shortest_s, longest_s : float
        Shortest and longest length of a part.
    weights : tuple of float
        Probability of each kind of part, in the order of `PARTS`; their sum is 1. Parts beyond the last weight do not
        occur.
    audible_db : float
        Level of a sound re the one that it is mixed with, in dB, from which it is labelled. Below it the label is
        `IGNORE`.
    unknowable_s : float
        Time after a change, and after the start, in which labels of steps are `IGNORE`.
    """

    seconds: float = 8.0
    shortest_s: float = 0.8
    longest_s: float = 6.0
    weights: tuple[float, ...] = (0.27, 0.15, 0.09, 0.15, 0.06, 0.14, 0.07, 0.07)
    audible_db: float = -10.0
    unknowable_s: float = 0.3


@dataclass(frozen=True)
class Scene:
    """Sound with labels for each of its samples.

    Attributes
    ----------
    sound : float32 array, shape (samples,)
        Samples at 16 kHz.
    present : int8 array, shape (3, samples)
        Whether there is music, speech and singing, in the order of `train.mixing.presence.NAMES`.
    classes : int8 array, shape (samples,)
        Index of the class of everyday sound, `NO_CLASS` or `IGNORE`.
    """

    sound: Array
    present: Array
    classes: Array

    @property
    def music(self) -> Array:
        """Whether there is music at each sample, shape (samples,): the first row of `present`."""
        row: Array = self.present[NAMES.index("music")]
        return row


class Scenes:
    """Makes scenes from the sound of recordings: parts of different kinds, one after another and mixed.

    Parameters
    ----------
    cache : SoundCache
        Recordings, all of one split.
    config : SceneConfig
        Settings of scenes.
    classes : sequence of str
        Categories of everyday sound to be labelled. All others are labelled `IGNORE`.
    doubtful : mapping of int to collection of str
        Names of the labels that a recording teaches nothing about, by the index of the recording.
    sung : mapping of int to int8 array
        Labels of singing in songs of which nobody has said where somebody sings, by the index of the recording, as
        `train.mixing.sung_songs` gives them.
    """

    def __init__(
        self,
        cache: SoundCache,
        config: SceneConfig,
        classes: Sequence[str] = (),
        doubtful: Mapping[int, Collection[str]] = MappingProxyType({}),
        sung: Mapping[int, Array] = MappingProxyType({}),
    ) -> None:
        self._cache = cache
        self._sung = sung
        self._config = config
        places = {name: place for place, name in enumerate(classes)}
        self._class = [
            places.get(r.category, IGNORE) if r.kind == "sound" else NO_CLASS for r in cache.recordings
        ]
        self._present = [presence_of(recording) for recording in cache.recordings]
        for index, labels in doubtful.items():
            known = zip(NAMES, self._present[index], strict=True)
            music, speech, singing = (IGNORE if name in labels else label for name, label in known)
            self._present[index] = (music, speech, singing)
        voices = {(r.source, r.name): index for index, r in enumerate(cache.recordings)}
        pools: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._voices: dict[int, int] = {}
        for index, recording in enumerate(cache.recordings):
            pools[recording.kind][recording.source].append(index)
            voice = voices.get((recording.source, recording.name.removesuffix("sum") + "voice"))
            if recording.category == SONG and voice is not None:
                pools[SONG][recording.source].append(index)
                self._voices[index] = voice
            if is_solo(recording):
                pools[INSTRUMENT][recording.source].append(index)
        # Drawn by source first; otherwise the data set with the most files would dominate.
        self._pools = {kind: list(by_source.values()) for kind, by_source in pools.items()}
        self._shares = {kind: self._shares_of(of_kind) for kind, of_kind in self._pools.items()}
        self._weights = np.zeros(len(PARTS))
        self._weights[: len(config.weights)] = config.weights

    def make(self, rng: np.random.Generator, samples: int) -> Scene:
        """Return a new scene of `samples` samples at 16 kHz; everything random is drawn from `rng`.

        Raises
        ------
        ConfigError
            If the configuration asks for parts of which there are no recordings.
        """
        c = self._config
        sound, present = np.zeros(samples, np.float32), np.full((len(NAMES), samples), OTHER, np.int8)
        classes = np.full(samples, NO_CLASS, np.int8)
        level_db = rng.uniform(-50.0, -6.0)  # one level for a scene: a recording has one gain
        first = 0
        while first < samples:
            stop = min(samples, first + int(rng.uniform(c.shortest_s, c.longest_s) * RATE_HZ))
            piece = self._part(rng, PARTS[rng.choice(len(PARTS), p=self._weights)], stop - first)
            piece_db = level_db - rng.uniform(0.0, 15.0)
            sound[first:stop] = augment.set_level(piece.sound, piece_db)
            hidden = piece_db < MIN_AUDIBLE_DB
            present[:, first:stop] = drowned(piece.present) if hidden else piece.present
            classes[first:stop] = np.where(hidden & (piece.classes >= 0), IGNORE, piece.classes)
            first = stop
        return Scene(_simulate_recording(rng, sound, level_db), present, classes)

    def _shares_of(self, pools: Sequence[Sequence[int]]) -> Array:
        """Return the probability of each data set: equal, but less for those of which there is little sound."""
        seconds = np.array([sum(self._cache.length(index) for index in pool) for pool in pools]) / RATE_HZ
        weights = np.minimum(1.0, seconds / WHOLE_SHARE_S)
        shares: Array = weights / weights.sum()
        return shares

    def _part(self, rng: np.random.Generator, part: str, samples: int) -> Scene:
        """Return one part of a scene, at any level."""
        nothing, other = np.full(samples, NO_CLASS, np.int8), np.full((len(NAMES), samples), OTHER, np.int8)
        if part == "silence":
            return Scene(np.zeros(samples, np.float32), other, nothing)
        if part == "synthetic":  # labelled IGNORE: sirens and noise resemble classes of everyday sound
            sound = MAKERS[rng.integers(len(MAKERS))](rng, samples)
            return Scene(sound, other, np.full(samples, IGNORE, np.int8))
        first, *second = part.split("+")
        upper = self._source(rng, first, samples)
        sound = _fade(rng, upper.sound)
        present = without_pauses(upper.present, sound)
        if not second:
            return Scene(sound, present, upper.classes)
        over_db = rng.uniform(-15.0, 25.0)  # level of the first sound re the second
        lower = self._source(rng, second[0], samples)
        # Only the second may be everyday sound, so the classes of the part are those of the second.
        hides_second = over_db > -self._config.audible_db
        classes = np.where(hides_second & (lower.classes >= 0), IGNORE, lower.classes)
        if over_db < self._config.audible_db:
            present = drowned(present)
        present_below = without_pauses(lower.present, lower.sound)
        present = mixed_presence(present, drowned(present_below) if hides_second else present_below)
        sound = augment.set_level(sound, over_db) + augment.set_level(lower.sound, 0.0)
        return Scene(sound, present, classes.astype(np.int8))

    def _source(self, rng: np.random.Generator, kind: str, samples: int) -> Scene:
        """Return sound of one kind from a random place on, at a random speed, with its labels.

        Short recordings follow each other. Silence within a recording is labelled `IGNORE` where its class is known;
        what is present is labelled as if there were no pauses.
        """
        parts: list[Scene] = []
        missing = samples
        if kind not in self._pools:
            raise ConfigError(
                f"scenes have parts with {kind}, and no recording is of that kind; expected some: choose other "
                "weights or other data sets"
            )
        pools = self._pools[kind]
        pool = pools[rng.choice(len(pools), p=self._shares[kind])]
        while missing > 0:
            index = pool[rng.integers(len(pool))]
            speed = rng.uniform(*(VOICE_SPEED if kind in VOICES else SPEED)) if rng.random() < 0.5 else 1.0
            wanted = int(missing * speed) + 2  # two samples more than resampling may need
            first = int(rng.integers(max(1, self._cache.length(index) - wanted + 1)))
            parts.append(self._piece(index, first, wanted, speed, missing))
            missing -= len(parts[-1].sound)
        sound, classes = (np.concatenate([getattr(p, name) for p in parts]) for name in ("sound", "classes"))
        sound = augment.random_filter(rng, sound) if rng.random() < 0.4 else sound
        return Scene(sound, np.concatenate([piece.present for piece in parts], axis=1), classes)

    def _piece(self, index: int, first: int, wanted: int, speed: float, most: int) -> Scene:
        """Return at most `most` samples of a recording with their labels, from `wanted` samples at another speed."""

        def sound_of(recording: int) -> Array:
            sound = self._cache.samples(recording, first, wanted)
            return (sound if speed == 1.0 else augment.change_speed(sound, speed))[:most]

        sound = sound_of(index)
        present = np.repeat(np.array(self._present[index], np.int8)[:, None], len(sound), axis=1)
        if index in self._voices:
            present[NAMES.index("singing")] = singing_of_song(sound_of(self._voices[index]), sound)
        elif index in self._sung:
            present[NAMES.index("singing")] = at_samples(self._sung[index], first, speed, len(sound))
        label = self._class[index]
        silent = IGNORE if label >= 0 else label
        return Scene(sound, present, np.where(augment.audible_mask(sound), label, silent))


def step_labels(labels: Array, hop_samples: int, config: SceneConfig) -> Array:
    """Return the labels of a model's steps, given the labels of samples.

    Step ``k`` has the label of sample ``(k + 1) * hop_samples - 1``. After each change, and at the start, labels are
    `IGNORE` for ``config.unknowable_s``.

    Parameters
    ----------
    labels : int8 array, shape (samples,)
        Labels of samples, shifted so that the labelling sample is the last one that the step depends on.
    hop_samples : int
        Samples per step.
    config : SceneConfig
        Settings of scenes.

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


def _fade(rng: np.random.Generator, x: Array) -> Array:
    """Fade a sound in and out, within 2 ms to half a second."""
    y = x.copy()
    for end in (y, y[::-1]):
        length = min(len(y), int(np.exp(rng.uniform(np.log(0.002), np.log(0.5))) * RATE_HZ))
        end[:length] *= np.linspace(0.0, 1.0, length, dtype=np.float32)
    return y


def _simulate_recording(rng: np.random.Generator, x: Array, level_db: float) -> Array:
    """Apply what recording does to a whole scene: room, noise of room and converter, rounding, overload."""
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
        x = x * np.float32(augment.db_to_amplitude(rng.uniform(0.0, 40.0)))
    return augment.clip(x).astype(np.float32)
