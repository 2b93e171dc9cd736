"""Train the ear: distillation of YAMNet on all data sets, and labels of everyday sounds and of music."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.ear import Ear, EarConfig
from streamer.arrays import Array
from streamer.yamnet.weights import CLASSES, EMBEDDING_SIZE
from train.data.fold_arrays import FoldArrays
from train.data.recordings import FOLDS
from train.data.sets import esc50
from train.data.sets.all_sound import AMBIGUOUS, check_clips, sound_by_data_set, sound_by_fold
from train.data.sets.catalogue import DATA_SETS
from train.evaluate.metrics.detection import DetectorScores
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch
from train.mixing.distillation.examples import ALL_EXCERPTS
from train.mixing.distillation.teacher_answers import FRONT_END, PATCHES, load_teacher_answers
from train.mixing.distillation.teachers import FIRST_PATCH_STEP, PATCH_STEPS
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.tasks.ear.batches import EarBatches
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
        self.classes = esc50.classes_of(DATA_SETS[config.named_sounds].read(data))
        self._caches = sound_by_fold(data, cache, self._folds, config.data)
        check_clips(self._caches, config.learnt_folds, self.classes)
        examples = {
            fold: load_teacher_answers(
                sounds, self.classes, AMBIGUOUS, config.lessons, config.teachers_precision, data, cache
            )
            for fold, sounds in self._caches.items()
        }
        self._further = sound_by_data_set(
            data, cache, config.learnt_folds, config.learnt_data[len(config.data) :]
        )
        without_scenes = replace(config.lessons, scenes=0, excerpts_per_hour=ALL_EXCERPTS)
        further = [
            load_teacher_answers(
                sounds, self.classes, AMBIGUOUS, without_scenes, config.teachers_precision, data, cache
            )
            for sounds in self._further
        ]
        learnt = [examples[fold] for fold in config.learnt_folds] + further
        self._learnt = FoldArrays([found.arrays for found in learnt])
        self._checked = FoldArrays([examples[config.checked_fold].arrays])
        self._batches = EarBatches(config, self._learnt, len(self.classes), data)

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
        frames = self._learnt.take(
            "frames", self._batches.draw(np.random.default_rng(self.config.loop.seed), 200)
        )
        if self.config.begin:
            begin_from(model.ear, Path(self.config.begin), torch.from_numpy(frames))
            return model
        flat = frames.reshape(-1, frames.shape[-1])
        model.ear.set_normalisation(torch.from_numpy(flat.mean(0)), torch.from_numpy(flat.std(0)))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step; see `EarBatches.make`."""
        return self._batches.make(seed, step, size)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        frames, embedding, logits, music, targets, steps = batch
        c = self.config
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
            "embedding": c.embedding_weight * F.mse_loss(found_embedding, embedding),
            "scores": c.scores_weight * scores.sum(2).mean(),
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
        truth = torch.from_numpy(self._batches.standardise(self._checked.take("embedding", rows)))
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


def mean_or_zero(losses: Tensor) -> Tensor:
    """Return the mean of `losses`, a tensor of one dimension, or 0 if it is empty, as a scalar."""
    return losses.sum() / max(1, len(losses))


def _pool(logits: Tensor, steps: Tensor) -> Tensor:
    """Return the mean of logits over the steps marked by 1, shape (batch, classes); zeros if none is marked."""
    return (logits * steps.unsqueeze(2)).sum(1) / steps.sum(1, keepdim=True).clamp(min=1.0)
