"""Train the ear: distillation of YAMNet on all data sets, and labels of everyday sounds and of music."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.ear import Ear, EarConfig
from streamer.arrays import Array
from streamer.yamnet.weights import CLASSES, EMBEDDING_SIZE
from train.augment.features import mask, mix_log_mel
from train.data.fold_arrays import FoldArrays
from train.data.recordings import FOLDS
from train.data.sets import esc50
from train.data.sets.all_sound import AMBIGUOUS, check_clips, sound_by_data_set, sound_by_fold
from train.evaluate.metrics.detection import DetectorScores
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch
from train.mixing.distillation.examples import ALL_EXCERPTS, STEP_FRAMES
from train.mixing.distillation.teacher_answers import (
    FIRST_PATCH_STEP,
    FRONT_END,
    PATCH_STEPS,
    PATCHES,
    load_teacher_answers,
)
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.tasks.ear.config import EarRunConfig
from train.tasks.ear.warm_start import begin_from, check_warm_start


class EarStudent(nn.Module):
    """The ear with the four output layers that it needs only while it learns.

    Parameters
    ----------
    config : EarConfig
        Sizes of the ear.
    classes : int
        Number of classes of everyday sound.
    """

    def __init__(self, config: EarConfig, classes: int) -> None:
        super().__init__()
        self.ear = Ear(config)
        self.dropout = nn.Dropout(0.3)
        self.embedding = nn.Linear(config.embedding, EMBEDDING_SIZE)
        self.scores = nn.Linear(config.embedding, CLASSES)
        self.sounds = nn.Linear(config.embedding, classes)
        self.music = nn.Linear(config.embedding, 1)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what the ear predicts from log-mel frames, shape (batch, frames, mel_bands).

        Returns
        -------
        embedding, logits : Tensor, shape (batch, patches, 1024) and (batch, patches, 521)
            Standardised embedding and logits of the teachers for each patch.
        sounds : Tensor, shape (batch, steps, classes)
            Logits of the classes of everyday sound at each step of 80 ms.
        music : Tensor, shape (batch, steps)
            Logit of music at each step.
        """
        embeddings, _ = self.ear(frames)
        # Cut to whole patches: a whole example ends with a part of one.
        patches = embeddings[:, FIRST_PATCH_STEP::PATCH_STEPS][:, :PATCHES]
        sounds = self.sounds(self.dropout(embeddings))
        return self.embedding(patches), self.scores(patches), sounds, self.music(embeddings).squeeze(2)


class EarTask:
    """Training task ``ear``: the data, losses and validation of the embedding model.

    Parameters
    ----------
    config : EarRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If the run cannot start from the ear in ``config.begin``; see `check_warm_start`.
    """

    name = "ear"
    front_end = FRONT_END.config

    def __init__(self, config: EarRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        if config.begin:
            check_warm_start(config)
        self.classes = esc50.classes(data)
        self._caches = sound_by_fold(data, cache, self._folds, config.data)
        check_clips(self._caches, config.learnt_folds, self.classes)
        examples = {
            fold: load_teacher_answers(sounds, self.classes, AMBIGUOUS, config.lessons, data, cache)
            for fold, sounds in self._caches.items()
        }
        self._further = sound_by_data_set(data, cache, config.learnt_folds, config.further_data)
        without_scenes = replace(config.lessons, scenes=0, excerpts_per_hour=ALL_EXCERPTS)
        further = [
            load_teacher_answers(sounds, self.classes, AMBIGUOUS, without_scenes, data, cache)
            for sounds in self._further
        ]
        learnt = [examples[fold] for fold in config.learnt_folds] + further
        self._learnt = FoldArrays([found.arrays for found in learnt])
        self._checked = FoldArrays([examples[config.checked_fold].arrays])

    @property
    def _folds(self) -> tuple[int, ...]:
        return tuple(fold for fold in FOLDS if fold != self.config.fold)

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches.values(), *self._further)

    def make_model(self) -> nn.Module:
        """Return an `EarStudent`; its ear is the one in ``config.begin``, or a random one.

        A random ear normalises its input by statistics of training examples. All output layers are random.
        """
        model = EarStudent(self.config.model, len(self.classes))
        frames = self._learnt.take("frames", self._draw(np.random.default_rng(self.config.loop.seed), 200))
        if self.config.begin:
            begin_from(model.ear, Path(self.config.begin), torch.from_numpy(frames))
            return model
        flat = frames.reshape(-1, frames.shape[-1])
        model.ear.set_normalisation(torch.from_numpy(flat.mean(0)), torch.from_numpy(flat.std(0)))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step; half of it are clips of everyday sound, some mixed with a second clip.

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
        mixed : bool Tensor, shape (size,)
            Whether the clip is mixed with another, so that only `targets` hold for it.
        """
        rng = np.random.default_rng((seed, step))
        c, offset = self.config, FRONT_END.config.log_offset
        frames, embedding, logits, music, steps, targets = self._crops(rng, self._draw(rng, size))
        mixed = np.zeros(size, bool)
        mixed[: round(size // 2 * c.mixed)] = True
        drawn = self._clips[rng.integers(len(self._clips), size=int(mixed.sum()))]
        others, *_, other_steps, other_targets = self._crops(rng, drawn)
        share = rng.random(len(others), np.float32)
        frames[mixed] = mix_log_mel(frames[mixed], others, share, offset)
        both = targets[mixed] * share[:, None] + other_targets * (1 - share[:, None])
        targets[mixed] = both / np.maximum(both.sum(1, keepdims=True), 1e-6)  # one of the two may be silent
        steps[mixed] = np.maximum(steps[mixed], other_steps)
        # The teachers did not see the mixtures, and the label of music is that of the first clip alone.
        music[mixed] = IGNORE
        frames = mask(rng, frames, c.masks, c.mask_bands, c.mask_frames)
        arrays = frames, self._standardise(embedding), logits, music, targets, steps, mixed
        return tuple(torch.from_numpy(array) for array in arrays)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        frames, embedding, logits, music, targets, steps, mixed = batch
        c, unmixed = self.config, ~mixed
        found_embedding, found_logits, sounds, found_music = model(frames)
        scores = F.binary_cross_entropy_with_logits(found_logits, torch.sigmoid(logits), reduction="none")
        known = music != IGNORE
        music_loss = F.binary_cross_entropy_with_logits(
            found_music, (music == PRESENT).float(), reduction="none"
        )
        smooth = targets * (1 - c.smoothing) + c.smoothing / targets.shape[1]
        entropy = -(smooth * torch.log_softmax(_pool(sounds, steps), dim=1)).sum(1)
        labelled = targets.sum(1) > 0
        return {
            "embedding": c.embedding_weight * F.mse_loss(found_embedding[unmixed], embedding[unmixed]),
            "scores": c.scores_weight * scores[unmixed].sum(2).mean(),
            "sounds": c.sounds_weight * mean_or_zero(entropy[labelled]),
            "music": c.music_weight * mean_or_zero(music_loss[known]),
        }

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model on the validation fold.

        Returns
        -------
        dict
            ``accuracy``: share of the clips as recorded whose class is found. ``embedding_error``: mean squared
            distance from the teacher's standardised embedding. ``music_auc`` and ``music_tpr_at_1pc``: area under the
            curve of single steps with music against those without, and share of the steps with music that score above
            99 % of the others. ``score``, by which the best weights are chosen: ``accuracy + music_auc -
            embedding_error``.
        """
        # Clips as recorded, without their augmented variants, and all scenes and excerpts.
        rows = np.flatnonzero(self._checked.all("raw") | (self._checked.all("clip") < 0))
        embedding, sounds, music = self._outputs(model, rows)
        clip, labels = self._checked.take("clip", rows), self._checked.take("music", rows)
        steps = torch.from_numpy((self._checked.take("classes", rows) == clip[:, None]).astype(np.float32))
        right = (_pool(sounds, steps).argmax(1).numpy() == clip)[clip >= 0]
        truth = torch.from_numpy(self._standardise(self._checked.take("embedding", rows)))
        of_music = DetectorScores(music.numpy()[labels == PRESENT], music.numpy()[labels == OTHER])
        figures = {
            "accuracy": float(right.mean()),
            "embedding_error": F.mse_loss(embedding, truth).item(),
            "music_auc": of_music.auc(),
            "music_tpr_at_1pc": of_music.tpr_at_fpr(0.01),
        }
        score = figures["accuracy"] + figures["music_auc"] - figures["embedding_error"]
        return {"score": score, **figures}

    def _outputs(self, model: nn.Module, rows: Array) -> tuple[Tensor, Tensor, Tensor]:
        """Return embedding, sounds and music that a model predicts for rows of the validation fold, on the CPU."""
        device = next(model.parameters()).device
        outputs: list[tuple[Tensor, ...]] = []
        with torch.no_grad():
            for part in np.array_split(rows, max(1, len(rows) // 32)):
                found = model(torch.from_numpy(self._checked.take("frames", part)).to(device))
                outputs.append(tuple(output.cpu() for output in found))
        embedding, _, sounds, music = (torch.cat(parts) for parts in zip(*outputs, strict=True))
        return embedding, sounds, music

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

    def _standardise(self, embedding: Array) -> Array:
        mean, deviation = self._embedding_statistics
        return (embedding - mean) / deviation

    def _crops(self, rng: np.random.Generator, rows: Array) -> tuple[Array, ...]:
        """Take a random part of each example.

        Returns
        -------
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
        patches = self.config.crop_patches
        length = FIRST_PATCH_STEP + 1 + (patches - 1) * PATCH_STEPS
        first = rng.integers(PATCHES - patches + 1, size=len(rows))
        step = first * PATCH_STEPS
        take = self._learnt.take
        frames = _take_parts(take("frames", rows), step * STEP_FRAMES, length * STEP_FRAMES)
        answers = [_take_parts(take(name, rows), first, patches) for name in ("embedding", "logits")]
        music, classes = (_take_parts(take(name, rows), step, length) for name in ("music", "classes"))
        clip = take("clip", rows).astype(int)
        steps = ((classes == clip[:, None]) & (clip[:, None] >= 0)).astype(np.float32)
        named = (clip[:, None] == np.arange(len(self.classes))) & steps.any(1, keepdims=True)
        return frames, *answers, music, steps, named.astype(np.float32)

    def _draw(self, rng: np.random.Generator, size: int) -> Array:
        """Draw the rows of a batch: one half clips of everyday sound, the rest any examples."""
        clips = self._clips[rng.integers(len(self._clips), size=size // 2)]
        return np.concatenate([clips, rng.integers(len(self._learnt), size=size - len(clips))])


def _take_parts(arrays: Array, first: Array, length: int) -> Array:
    """Take `length` entries of each row, each from its own `first` on."""
    return np.take_along_axis(
        arrays,
        (first[:, None] + np.arange(length)).reshape(len(arrays), length, *[1] * (arrays.ndim - 2)),
        axis=1,
    )


def mean_or_zero(losses: Tensor) -> Tensor:
    """Return the mean of `losses`, a tensor of one dimension, or 0 if it is empty, as a scalar."""
    return losses.sum() / max(1, len(losses))


def _pool(logits: Tensor, steps: Tensor) -> Tensor:
    """Return the mean of logits over the steps marked by 1, shape (batch, classes); zeros if none is marked."""
    return (logits * steps.unsqueeze(2)).sum(1) / steps.sum(1, keepdim=True).clamp(min=1.0)
