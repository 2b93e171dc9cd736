"""Lessons for the ear: clips as log-mel, what sounds in them, and what its teachers, YAMNets, say of them.

Made once for each fold and kept on disk, since asking the teachers costs more than learning from them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from models.yamnet import YAMNet
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.yamnet.weights import CLASSES, EMBEDDING_SIZE, PATCH_FRAMES
from train import augment
from train.augment.recipe import Recipe, apply_recipe
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.mixing.excerpts import Excerpts
from train.mixing.scenes import IGNORE, OTHER, Scene, SceneConfig, Scenes, step_labels
from train.yamnet.npz import read_npz

SECONDS = 5.0
STEP_FRAMES = 8
"""Frames from one label to the next: the ear's hop."""
STEPS = 62
FRAMES = STEPS * STEP_FRAMES
PATCH_STEPS = 6
"""Steps from one patch of the teachers to the next: 0.48 s, as they were published."""
FIRST_PATCH_STEP = PATCH_FRAMES // STEP_FRAMES - 1
"""The step that ends with the first patch."""
PATCHES = (FRAMES - PATCH_FRAMES) // (PATCH_STEPS * STEP_FRAMES) + 1
FRONT_END = LogMel()
TEACHERS = ("yamnet/yamnet_weights.npz", "yamnet/lite/yamnet_weights.npz")
"""Both trainings of YAMNet: the mean of their logits, and the embedding of the second, which told ESC-50's classes
apart better (0.842 against 0.829 by logistic regression)."""
PLAYED = Recipe(
    speed=0.6, room=0, far=0, filter=0, noise=0, codec=0, gain_db=(0.0, 0.0), speed_factor=(0.8, 1.25)
)
RECORDED = Recipe(speed=0, pitch=0, move=0)
BATCH = 16
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DistillationConfig:
    """How many lessons are made of a fold's recordings.

    Attributes
    ----------
    variants : int
        Of each clip of everyday sound: the first as it is, the others augmented.
    scenes : int
        Of music, speech and sounds, one after the other and mixed.
    excerpts_per_hour : int
        Of all recordings but clips of everyday sound, as they are and augmented; 720 are all of their time.
    scene : SceneConfig
        How scenes are made up.
    seed : int
    """

    variants: int = 4
    scenes: int = 1_000
    excerpts_per_hour: int = 0
    scene: SceneConfig = field(default_factory=lambda: SceneConfig(seconds=SECONDS))
    seed: int = 1


@dataclass(frozen=True)
class TeacherAnswers:
    """Arrays with one row a lesson, mapped from disk.

    Attributes
    ----------
    folder : Path
        Where they are kept; its name says all that they were made of.
    frames : float16 array, shape (lessons, FRAMES, mel_bands)
    embedding : float16 array, shape (lessons, PATCHES, 1024)
        Square roots: they are nearer to a normal distribution.
    logits : float16 array, shape (lessons, PATCHES, 521)
    music, classes : int8 array, shape (lessons, STEPS)
        Labels as in `train.mixing.scenes`.
    clip : int16 array, shape (lessons,)
        Class of a lesson that is one clip of everyday sound; -1 for scenes.
    raw : bool array, shape (lessons,)
        Whether it is a clip as it was recorded.
    """

    folder: Path
    frames: Array
    embedding: Array
    logits: Array
    music: Array
    classes: Array
    clip: Array
    raw: Array

    def __len__(self) -> int:
        return len(self.clip)

    @property
    def arrays(self) -> dict[str, Array]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in SHAPES}


SHAPES = {
    "frames": (np.float16, (FRAMES, FRONT_END.config.mel_bands)),
    "embedding": (np.float16, (PATCHES, EMBEDDING_SIZE)),
    "logits": (np.float16, (PATCHES, CLASSES)),
    "music": (np.int8, (STEPS,)),
    "classes": (np.int8, (STEPS,)),
    "clip": (np.int16, ()),
    "raw": (np.bool_, ()),
}


def load_teacher_answers(
    sounds: SoundCache,
    classes: Sequence[str],
    no_music: frozenset[tuple[str, str]],
    config: DistillationConfig,
    data: Path,
    cache: Path,
) -> TeacherAnswers:
    """The lessons of one fold, made if they are not there.

    Parameters
    ----------
    sounds : SoundCache
        The fold's recordings.
    classes : sequence of str
        Of everyday sound, in the order of the labels.
    no_music : frozenset of (source, category or name)
        Recordings of which nobody can say whether they are music.
    config : DistillationConfig
    data, cache : Path
        Folders of the data sets, with the teachers' weights, and of what is made of them.
    """
    described = [
        sounds.digest,
        classes,
        sorted(no_music),
        asdict(config),
        FRONT_END.config.fingerprint,
        TEACHERS,
    ]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    folder = cache / "lessons" / name
    if not folder.is_dir():
        _build(_Source(sounds, classes, no_music, config), data, folder)
    return TeacherAnswers(folder, **{part: np.load(folder / f"{part}.npy", mmap_mode="r") for part in SHAPES})


class _Source:
    """Makes the scenes of a fold, one after the other, the same ones for the same configuration."""

    def __init__(
        self,
        sounds: SoundCache,
        classes: Sequence[str],
        no_music: frozenset[tuple[str, str]],
        config: DistillationConfig,
    ) -> None:
        self._sounds, self._config = sounds, config
        self._places = {name: place for place, name in enumerate(classes)}
        self._no_music = no_music
        self._clips = sounds.where(lambda r: r.category in self._places and r.kind == "sound")
        self._known = [r for r in sounds.recordings if not self._is_ambiguous(r)]
        clips = set(self._clips)
        others = [place for place in range(len(sounds)) if place not in clips]
        self._excerpts = Excerpts(sounds, others, self._is_ambiguous)
        self._excerpt_count = round(self._excerpts.hours * config.excerpts_per_hour)
        self._classes = classes

    def __len__(self) -> int:
        return len(self._clips) * self._config.variants + self._config.scenes + self._excerpt_count

    def scenes(self, cache: Path) -> Iterator[tuple[Scene, int, bool]]:
        """Every scene, the class of the clip that it is or -1, and whether it is as it was recorded."""
        rng = np.random.default_rng(self._config.seed)
        for index in self._clips:
            place = self._places[self._sounds.recordings[index].category]
            for variant in range(self._config.variants):
                yield self._clip(rng, index, place, variant > 0), place, variant == 0
        scenes = Scenes(SoundCache(self._known, cache), self._config.scene, self._classes)
        for _ in range(self._config.scenes):
            yield scenes.make(rng, round(SECONDS * RATE_HZ)), -1, False
        for excerpt in self._excerpts.make(rng, self._excerpt_count, SECONDS):
            yield excerpt, -1, False

    def steps(self, labels: Array, hop_samples: int) -> Array:
        """Labels of the ear's steps out of labels of samples."""
        return step_labels(labels, hop_samples, self._config.scene)[:STEPS]

    def _is_ambiguous(self, recording: Recording) -> bool:
        pairs = {(recording.source, recording.category), (recording.source, recording.name)}
        return bool(self._no_music & pairs)

    def _clip(self, rng: np.random.Generator, index: int, place: int, changed: bool) -> Scene:
        sound = augment.fit_length(self._sounds.samples(index), round(SECONDS * RATE_HZ))
        sound = apply_recipe(rng, sound, PLAYED) if changed else sound
        classes = np.where(augment.audible_mask(sound), place, IGNORE).astype(np.int8)
        sound = apply_recipe(rng, sound, RECORDED) if changed else sound
        doubt = self._is_ambiguous(self._sounds.recordings[index])
        return Scene(sound, np.full(len(sound), IGNORE if doubt else OTHER, np.int8), classes)


def _build(source: _Source, data: Path, folder: Path) -> None:
    """Make the lessons under another name first, so that a killed build leaves no half ones."""
    teachers = [_teacher(data / name) for name in TEACHERS]
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    arrays = {
        name: np.lib.format.open_memmap(partial / f"{name}.npy", "w+", dtype, (len(source), *shape))
        for name, (dtype, shape) in SHAPES.items()
    }
    scenes = source.scenes(folder.parent.parent)
    with tqdm(total=len(source), desc="lessons", unit=" clips", disable=None) as bar:
        for first in range(0, len(source), BATCH):
            batch = list(islice(scenes, BATCH))
            rows = _lessons(batch, teachers, source)
            for name, values in rows.items():
                arrays[name][first : first + len(batch)] = values
            bar.update(len(batch))
    for array in arrays.values():
        array.flush()
    partial.replace(folder)
    _log.info("made %d lessons in %s", len(source), folder)


def _lessons(
    batch: Sequence[tuple[Scene, int, bool]], teachers: Sequence[YAMNet], source: _Source
) -> dict[str, Array]:
    frames = offline(FRONT_END, np.stack([scene.sound for scene, _, _ in batch]))[:, :FRAMES]
    hop_samples = STEP_FRAMES * FRONT_END.config.hop_samples
    embedding, logits = _ask(teachers, frames)
    return {
        "frames": frames,
        "embedding": np.sqrt(embedding),
        "logits": logits,
        "music": np.stack([source.steps(scene.music, hop_samples) for scene, _, _ in batch]),
        "classes": np.stack([source.steps(scene.classes, hop_samples) for scene, _, _ in batch]),
        "clip": np.array([place for _, place, _ in batch]),
        "raw": np.array([raw for _, _, raw in batch]),
    }


def _teacher(weights: Path) -> YAMNet:
    """Load a teacher; with its channels innermost it takes half of the time on a CPU."""
    return YAMNet.from_weights(read_npz(weights)).to(memory_format=torch.channels_last)


def _ask(teachers: Sequence[YAMNet], frames: Array) -> tuple[Array, Array]:
    """The last teacher's embedding and the mean of their logits, of each patch."""
    patches = torch.from_numpy(frames).unfold(1, PATCH_FRAMES, PATCH_STEPS * STEP_FRAMES).transpose(2, 3)
    with torch.inference_mode():
        answers = [teacher(patches.flatten(0, 1)) for teacher in teachers]
    logits = torch.stack([logits for logits, _ in answers]).mean(0)
    shape = (len(frames), PATCHES)
    return answers[-1][1].unflatten(0, shape).numpy(), logits.unflatten(0, shape).numpy()
