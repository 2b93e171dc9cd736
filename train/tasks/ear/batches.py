"""Batches of the ear: parts of examples, some of them mixed with others, and what the teachers say of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from streamer.arrays import Array
from streamer.yamnet.weights import EMBEDDING_SIZE
from train.augment.features import colour, mask, mix_log_mel, warp
from train.data.fold_arrays import FoldArrays
from train.loop.task import Batch
from train.mixing.distillation.teacher_answers import FRONT_END, PATCHES
from train.mixing.distillation.teachers import FIRST_PATCH_STEP, PATCH_STEPS, STEP_FRAMES, Teachers
from train.mixing.presence import IGNORE
from train.tasks.ear.config import EarRunConfig

MIXED_DB = 15.0
"""Largest level of an example above or below the one that it is mixed with, besides the difference of their own."""


@dataclass
class Parts:
    """Parts of examples, one row each, and what is learnt from them.

    Attributes
    ----------
    frames : float32 array, shape (rows, frames, mel_bands)
        Log-mel frames.
    embedding, logits : float32 array, shape (rows, patches, ...)
        Outputs of the teachers.
    music : int8 array, shape (rows, steps)
        Labels of music.
    steps : float32 array, shape (rows, steps)
        1 where the example's own class is audible.
    targets : float32 array, shape (rows, classes)
        1 for the example's class; all 0 where it is not audible in the part.
    """

    frames: Array
    embedding: Array
    logits: Array
    music: Array
    steps: Array
    targets: Array


class EarBatches:
    """Makes the batches of a run, each from its number alone.

    Parameters
    ----------
    config : EarRunConfig
        Configuration of the run.
    learnt : FoldArrays
        Arrays of `TeacherAnswers` to learn from.
    classes : int
        Number of classes of everyday sound.
    data : Path
        Folder of the data sets, which holds the teachers' weights too.
    """

    def __init__(self, config: EarRunConfig, learnt: FoldArrays, classes: int, data: Path) -> None:
        self._config, self._learnt, self._classes, self._data = config, learnt, classes, data

    def make(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step; one half of it are clips of everyday sound, the other half any examples.

        The share `mixed` of both is mixed with another example, and the teachers answer to the mixture as it is:
        a clip with a clip, so that both classes can be learnt from it, and any example with any, each at another speed
        and pitch, from which nothing is learnt but what the teachers say. All mixtures are heard as through some other
        microphone.

        Returns
        -------
        frames : float32 Tensor, shape (size, frames, mel_bands)
            Log-mel frames.
        embedding, logits : float32 Tensor, shape (size, patches, ...)
            Outputs of the teachers; the embedding is standardised.
        music : int8 Tensor, shape (size, steps)
            Labels of music.
        targets : float32 Tensor, shape (size, classes)
            Probabilities of everyday sounds; all 0 where there is none.
        steps : float32 Tensor, shape (size, steps)
            1 where the everyday sound is audible.
        """
        rng, c = np.random.default_rng((seed, step)), self._config
        parts = self.parts(rng, self.draw(rng, size))
        mixed = rng.random(size) < c.mixed
        are_clips = np.arange(size) < size // 2
        if (mixed & are_clips).any():
            self._mix_clips(rng, parts, np.flatnonzero(mixed & are_clips))
        if (mixed & ~are_clips).any():
            self._mix_any(rng, parts, np.flatnonzero(mixed & ~are_clips))
        if mixed.any():
            heard = colour(rng, parts.frames[mixed], c.mixed_db, c.limited, FRONT_END.config.log_offset)
            parts.frames[mixed] = heard
            parts.embedding[mixed], parts.logits[mixed] = self._teachers.answer(heard)
        frames = mask(rng, parts.frames, c.masks, c.mask_bands, c.mask_frames)
        embedding = self.standardise(parts.embedding)
        arrays = frames, embedding, parts.logits, parts.music, parts.targets, parts.steps
        return tuple(torch.from_numpy(array) for array in arrays)

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """Draw the rows of a batch: one half clips of everyday sound, the rest any examples."""
        clips = self._clips[rng.integers(len(self._clips), size=size // 2)]
        return np.concatenate([clips, rng.integers(len(self._learnt), size=size - len(clips))])

    def parts(self, rng: np.random.Generator, rows: Array) -> Parts:
        """Take a random part of each example in `rows`, `crop_patches` long."""
        patches = self._config.crop_patches
        length = FIRST_PATCH_STEP + 1 + (patches - 1) * PATCH_STEPS
        first = rng.integers(PATCHES - patches + 1, size=len(rows))
        step = first * PATCH_STEPS
        take = self._learnt.take
        frames = _take_parts(take("frames", rows), step * STEP_FRAMES, length * STEP_FRAMES)
        embedding, logits = (
            _take_parts(take(name, rows), first, patches) for name in ("embedding", "logits")
        )
        music, classes = (_take_parts(take(name, rows), step, length) for name in ("music", "classes"))
        clip = take("clip", rows).astype(int)
        steps = ((classes == clip[:, None]) & (clip[:, None] >= 0)).astype(np.float32)
        named = (clip[:, None] == np.arange(self._classes)) & steps.any(1, keepdims=True)
        return Parts(frames, embedding, logits, music, steps, named.astype(np.float32))

    def standardise(self, embedding: Array) -> Array:
        """Return embeddings of the teacher such that each number has a mean of 0, and all together a deviation of 1."""
        mean, deviation = self._embedding_statistics
        return (embedding - mean) / deviation

    def _mix_clips(self, rng: np.random.Generator, parts: Parts, rows: Array) -> None:
        """Mix each of `rows`, which are clips of everyday sound, with another clip."""
        others = self.parts(rng, self._clips[rng.integers(len(self._clips), size=len(rows))])
        share = rng.random(len(rows), np.float32)
        parts.frames[rows] = mix_log_mel(
            parts.frames[rows], others.frames, share, FRONT_END.config.log_offset
        )
        both = parts.targets[rows] * share[:, None] + others.targets * (1 - share[:, None])
        # One of the two may be silent.
        parts.targets[rows] = both / np.maximum(both.sum(1, keepdims=True), 1e-6)
        parts.steps[rows] = np.maximum(parts.steps[rows], others.steps)
        parts.music[rows] = IGNORE  # it is that of the first clip alone

    def _mix_any(self, rng: np.random.Generator, parts: Parts, rows: Array) -> None:
        """Mix each of `rows` with another example, both of them warped."""
        c, offset = self._config, FRONT_END.config.log_offset
        others = self.parts(rng, self.draw(rng, len(rows)))
        first, second = (
            warp(rng, frames, c.mixed_speed, c.mixed_bands) for frames in (parts.frames[rows], others.frames)
        )
        level_db = rng.uniform(-MIXED_DB, MIXED_DB, len(rows)).astype(np.float32)
        parts.frames[rows] = mix_log_mel(first, second, 1 / (1 + 10 ** (-level_db / 10)), offset)
        parts.music[rows] = IGNORE
        parts.steps[rows] = parts.targets[rows] = 0.0

    @cached_property
    def _teachers(self) -> Teachers:
        return Teachers(self._data, self._config.teachers_precision)

    @cached_property
    def _clips(self) -> Array:
        """Rows of examples that are single clips of everyday sound."""
        return np.flatnonzero(self._learnt.all("clip") >= 0)

    @cached_property
    def _embedding_statistics(self) -> tuple[Array, Array]:
        """Mean of each number of the teacher's embedding, and one deviation for all, over some examples."""
        rows = np.random.default_rng(0).choice(len(self._learnt), min(500, len(self._learnt)), replace=False)
        embedding = self._learnt.take("embedding", rows).reshape(-1, EMBEDDING_SIZE)
        return embedding.mean(0), embedding.std()


def _take_parts(arrays: Array, first: Array, length: int) -> Array:
    """Take `length` entries of each row, each from its own `first` on."""
    return np.take_along_axis(
        arrays,
        (first[:, None] + np.arange(length)).reshape(len(arrays), length, *[1] * (arrays.ndim - 2)),
        axis=1,
    )
