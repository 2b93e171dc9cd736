"""Train a head on the ear that detects ESC-50's classes of everyday sounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import expit, log_softmax
from torch import Tensor, nn

from models.heads import HeadConfig
from train.data.fold_arrays import FoldArrays
from train.data.sets import esc50
from train.data.sets.all_sound import AMBIGUOUS, check_clips, sound_by_fold
from train.loop.folds import HoldsOut
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch, LoopConfig
from train.mixing.distillation import FRONT_END, load_teacher_answers
from train.mixing.distillation_examples import DistillationConfig
from train.mixing.embedding_cache import load_embeddings
from train.mixing.presence import IGNORE
from train.mixing.scenes import NO_CLASS
from train.tasks.ear.task import mean_or_zero
from train.tasks.on_ear import check_ear_holds_out, load_ear, make_head

TEMPERATURES = np.geomspace(0.25, 4.0, 17)
"""Temperatures that validation divides logits by in turn; the one with the highest likelihood gives the score."""


@dataclass(frozen=True)
class SoundsRunConfig(HoldsOut):
    """Configuration of a training run of the task ``sounds``, a head for ESC-50's classes of everyday sound.

    Attributes
    ----------
    ear : str
        Exported or released folder of the ear.
    model : HeadConfig
        Sizes of the head.
    loop : LoopConfig
        Settings of the training loop.
    lessons : DistillationConfig
        Settings of the examples, the same as those of the ear. They are called lessons in the files of existing runs,
        so the key stays.
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`. They must be those of the ear, so that the ear was not trained
        on them.
    """

    ear: str = "models/released/ear"
    model: HeadConfig = field(default_factory=HeadConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=600, validate_every=150, batch=64, learning_rate=2e-3, weight_decay=0.1, workers=0
        )
    )
    lessons: DistillationConfig = field(default_factory=DistillationConfig)
    fold: int = 5
    validation_fold: int = 4


class SoundsTask:
    """Training task ``sounds``: the data, losses and validation of the head for ESC-50's classes of everyday sound.

    Parameters
    ----------
    config : SoundsRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a class has no clips, the model in ``config.ear`` is not an ear, or the ear was trained on the held-out
        folds.
    """

    name = "sounds"
    front_end = FRONT_END.config

    def __init__(self, config: SoundsRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        self.ear = load_ear(config.ear)
        self.classes = esc50.classes(data)
        folds = {*config.learnt_folds, config.validation_fold} - {0}
        self._caches = sound_by_fold(data, cache, sorted(folds))
        check_clips(self._caches, config.learnt_folds, self.classes)
        check_ear_holds_out(self.ear, config.ear, config.fold, config.validation_fold)
        examples = {
            fold: load_teacher_answers(sounds, self.classes, AMBIGUOUS, config.lessons, data, cache)
            for fold, sounds in self._caches.items()
        }
        rows = {
            fold: {**found.arrays, "embeddings": load_embeddings(self.ear, found)}
            for fold, found in examples.items()
        }
        self._learnt = FoldArrays([rows[fold] for fold in config.learnt_folds])
        self._checked = FoldArrays([rows[config.checked_fold]])
        self._single = np.flatnonzero(self._learnt.all("clip") >= 0)

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches.values())

    def make_model(self) -> nn.Module:
        """Return a head with random weights; it normalises its input by the mean and deviation of some embeddings."""
        embeddings, *_ = self.make_batch(self.config.loop.seed, 0, 256)
        return make_head(self.config.model, self.classes, embeddings)

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step; its first half are single clips of everyday sound.

        Returns
        -------
        embeddings : float32 Tensor, shape (size, steps, embedding)
            The ear's embeddings.
        classes : int8 Tensor, shape (size, steps)
            Index of the class of everyday sound at each step, `NO_CLASS` or `IGNORE`.
        clip : int16 Tensor, shape (size,)
            Class of an example that is a single clip; -1 for all others.
        """
        rng = np.random.default_rng((seed, step))
        single = self._single[rng.integers(len(self._single), size=size // 2)]
        rows = np.concatenate([single, rng.integers(len(self._learnt), size=size - len(single))])
        taken = [self._learnt.take(name, rows) for name in ("embeddings", "classes", "clip")]
        return tuple(torch.from_numpy(array) for array in taken)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return two losses, ``each`` and ``which``.

        ``each`` is the sum of the binary cross entropies of all classes. ``which`` is the cross entropy over classes,
        at steps at which one is audible.
        """
        embeddings, classes, clip = batch
        logits, _ = model(embeddings)
        named = classes >= 0
        targets = F.one_hot(classes.clamp(min=0).long(), logits.shape[2]).float() * named.unsqueeze(2)
        others = F.one_hot(clip.clamp(min=0).long(), logits.shape[2]) == 0
        # A single clip contains no class but its own, so the others are known even where its own is not audible.
        known = (classes != IGNORE).unsqueeze(2) | (others & (clip >= 0).unsqueeze(1)).unsqueeze(1)
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none") * known
        which = F.cross_entropy(logits[named], classes[named].long(), label_smoothing=0.1, reduction="none")
        return {"each": mean_or_zero(each.sum(2).flatten()), "which": mean_or_zero(which)}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model on the validation fold: clips as recorded, and scenes.

        A clip's probabilities are the means over its steps.

        Returns
        -------
        dict
            ``accuracy``: share of the clips whose class is the likeliest. ``alarms``: share of the steps without
            everyday sound, in scenes too, at which any class has a probability above 0.5. ``score``, by which the best
            weights are chosen: log-likelihood of the clips' classes at the best of `TEMPERATURES`, since a release is
            calibrated anyway. Accuracy would stop changing long before learning is done.
        """
        rows = np.flatnonzero(self._checked.all("raw") | (self._checked.all("clip") < 0))
        device = next(model.parameters()).device
        outputs = []
        with torch.no_grad():
            for part in np.array_split(rows, max(1, len(rows) // 128)):
                logits, _ = model(torch.from_numpy(self._checked.take("embeddings", part)).to(device))
                outputs.append(logits.cpu().numpy())
        probability = expit(np.concatenate(outputs))
        clip = self._checked.take("clip", rows)
        clip_probability, truth = probability[clip >= 0].mean(axis=1), clip[clip >= 0]
        shares = log_softmax(np.log(clip_probability) / TEMPERATURES[:, None, None], axis=2)
        likelihood = shares[:, np.arange(len(truth)), truth].mean(axis=1)
        wrong = probability[self._checked.take("classes", rows) == NO_CLASS]
        return {
            "score": float(likelihood.max()),
            "accuracy": float(np.mean(clip_probability.argmax(axis=1) == truth)),
            "alarms": float((wrong > 0.5).any(axis=1).mean()),
        }
