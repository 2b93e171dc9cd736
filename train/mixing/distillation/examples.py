"""Examples for distillation: sound with its labels, made of the clips, scenes and excerpts of a fold's recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from train import augment
from train.augment.recipe import Recipe, apply_recipe
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.mixing.distillation.excerpts import Excerpts
from train.mixing.presence import IGNORE, NAMES, OTHER
from train.mixing.scenes import Scene, SceneConfig, Scenes, step_labels

SECONDS = 5.0
"""Length of an example."""
STEPS = 62
"""Number of steps of 80 ms of an example (4.96 s); each has one label."""
PERFORMANCE_CHANGES = Recipe(
    speed=0.6, room=0, far=0, filter=0, noise=0, codec=0, gain_db=(0.0, 0.0), speed_factor=(0.8, 1.25)
)
"""Changes of a clip's own sound, such as its speed. Where the clip is audible is determined after them."""
RECORDING_CHANGES = Recipe(speed=0, pitch=0, move=0)
"""Changes of a clip by room, microphone and codec, which leave its labels as they are."""
ALL_EXCERPTS = round(3600 / SECONDS)
"""Number of excerpts from an hour of sound that hold all of it."""


@dataclass(frozen=True)
class DistillationConfig:
    """Settings of the examples for distillation: how many are made from a fold's recordings, and of which kind.

    Attributes
    ----------
    variants : int
        Number of examples made from each clip of everyday sound: the first is the clip's beginning as recorded, the
        others are augmented, and of a clip longer than `SECONDS` any excerpt.
    scenes : int
        Number of scenes, in which music, speech and sounds follow one another and are mixed.
    excerpts_per_hour : int
        Number of excerpts from each hour of all recordings but clips of everyday sound; `ALL_EXCERPTS` hold all of it.
    scene : SceneConfig
        Settings of the scenes.
    seed : int
        Seed of everything that is drawn at random.
    """

    variants: int = 4
    scenes: int = 1_000
    excerpts_per_hour: int = 0
    scene: SceneConfig = field(default_factory=lambda: SceneConfig(seconds=SECONDS))
    seed: int = 1


@dataclass(frozen=True)
class Example:
    """Sound of an example with its labels.

    Attributes
    ----------
    scene : Scene
        Sound of `SECONDS` seconds, with the labels of its samples.
    clip : int
        Class of a single clip of everyday sound, as an index into the classes; -1 for scenes and excerpts.
    raw : bool
        Whether the example is a clip of everyday sound as recorded.
    """

    scene: Scene
    clip: int = -1
    raw: bool = False


class Examples:
    """Makes the examples of a fold, one after the other, the same ones for the same configuration.

    Parameters
    ----------
    sounds, classes, ambiguous, config
        As for `train.mixing.distillation.teacher_answers.load_teacher_answers`.
    """

    def __init__(
        self,
        sounds: SoundCache,
        classes: Sequence[str],
        ambiguous: frozenset[tuple[str, str]],
        config: DistillationConfig,
    ) -> None:
        self._sounds, self._config = sounds, config
        self._class_numbers = {name: number for number, name in enumerate(classes)}
        self._ambiguous = ambiguous
        self._clips = sounds.where(lambda r: r.category in self._class_numbers and r.kind == "sound")
        self._unambiguous = [r for r in sounds.recordings if not self._is_ambiguous(r)]
        clips = set(self._clips)
        others = [place for place in range(len(sounds)) if place not in clips]
        self._excerpts = Excerpts(sounds, others, self._is_ambiguous)
        self._excerpt_count = round(self._excerpts.hours * config.excerpts_per_hour)
        self._classes = classes

    def __len__(self) -> int:
        return len(self._clips) * self._config.variants + self._config.scenes + self._excerpt_count

    def make(self, cache: Path) -> Iterator[Example]:
        """Yield every example: the variants of all clips, then scenes, then excerpts.

        `cache` is the folder of all caches.
        """
        rng = np.random.default_rng(self._config.seed)
        for index in self._clips:
            number = self._class_numbers[self._sounds.recordings[index].category]
            for variant in range(self._config.variants):
                yield Example(self._clip(rng, index, number, variant > 0), number, raw=variant == 0)
        scenes = Scenes(SoundCache(self._unambiguous, cache), self._config.scene, self._classes)
        for _ in range(self._config.scenes):
            yield Example(scenes.make(rng, round(SECONDS * RATE_HZ)))
        for excerpt in self._excerpts.make(rng, self._excerpt_count, SECONDS):
            yield Example(excerpt)

    def step_labels(self, labels: Array, hop_samples: int) -> Array:
        """Return labels of the ear's steps from labels of samples."""
        return step_labels(labels, hop_samples, self._config.scene)[:STEPS]

    def _is_ambiguous(self, recording: Recording) -> bool:
        pairs = {(recording.source, recording.category), (recording.source, recording.name)}
        return bool(self._ambiguous & pairs)

    def _clip(self, rng: np.random.Generator, index: int, class_number: int, augmented: bool) -> Scene:
        sound, samples = self._sounds.samples(index), round(SECONDS * RATE_HZ)
        if augmented and len(sound) > samples:
            sound = sound[rng.integers(len(sound) - samples) :]
        sound = augment.fit_length(sound, samples)
        sound = apply_recipe(rng, sound, PERFORMANCE_CHANGES) if augmented else sound
        # Found before noise and rooms are added, which would fill the pauses.
        classes = np.where(augment.audible_mask(sound), class_number, IGNORE).astype(np.int8)
        sound = apply_recipe(rng, sound, RECORDING_CHANGES) if augmented else sound
        present = np.full((len(NAMES), len(sound)), OTHER, np.int8)
        if self._is_ambiguous(self._sounds.recordings[index]):
            present[NAMES.index("music")] = IGNORE
        return Scene(sound, present, classes)
