"""Everyday sounds: which of ESC-50's classes sound, a head on the ear."""

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
from train.mixing.distillation import FRONT_END, DistillationConfig, load_teacher_answers
from train.mixing.embedding_cache import load_embeddings
from train.mixing.scenes import IGNORE, NO_CLASS
from train.tasks.ear.task import mean_or_zero
from train.tasks.on_ear import check_ear_holds_out, load_ear, make_head

TEMPERATURES = np.geomspace(0.25, 4.0, 17)


@dataclass(frozen=True)
class SoundsRunConfig(HoldsOut):
    """A run of this task.

    Attributes
    ----------
    ear : str
        Exported or released folder of the ear.
    model : HeadConfig
    loop : LoopConfig
    lessons : DistillationConfig
        Those that the ear learnt from.
    fold, validation_fold : int
        As in `train.loop.folds.HoldsOut`, and the same as the ear's: it must not have heard the test.
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
    """The sounds for `train.loop.train_loop`.

    Parameters
    ----------
    config : SoundsRunConfig
    data, cache : Path
        Folders of the data sets and of what is made of them.

    Raises
    ------
    ConfigError
        If the ear of the configuration is none, or has heard what is held out.
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
        lessons = {
            fold: load_teacher_answers(sounds, self.classes, AMBIGUOUS, config.lessons, data, cache)
            for fold, sounds in self._caches.items()
        }
        rows = {fold: {**of.arrays, "heard": load_embeddings(self.ear, of)} for fold, of in lessons.items()}
        self._learnt = FoldArrays([rows[fold] for fold in config.learnt_folds])
        self._checked = FoldArrays([rows[config.checked_fold]])
        self._single = np.flatnonzero(self._learnt.all("clip") >= 0)

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches.values())

    def make_model(self) -> nn.Module:
        """A head that normalises as the first embeddings ask for."""
        embeddings, *_ = self.make_batch(self.config.loop.seed, 0, 256)
        return make_head(self.config.model, self.classes, embeddings)

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Embeddings (size, steps, embedding), the class of each step, and of each lesson that is a single clip.

        The first half are single clips; the others' class is -1.
        """
        rng = np.random.default_rng((seed, step))
        single = self._single[rng.integers(len(self._single), size=size // 2)]
        rows = np.concatenate([single, rng.integers(len(self._learnt), size=size - len(single))])
        taken = [self._learnt.take(name, rows) for name in ("heard", "classes", "clip")]
        return tuple(torch.from_numpy(array) for array in taken)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Each class by itself, and, where one of them sounds, which one it is.

        In a single clip no other class ever sounds, not even where nobody can say whether its own does.
        """
        embeddings, classes, clip = batch
        logits, _ = model(embeddings)
        named = classes >= 0
        targets = F.one_hot(classes.clamp(min=0).long(), logits.shape[2]).float() * named.unsqueeze(2)
        others = F.one_hot(clip.clamp(min=0).long(), logits.shape[2]) == 0
        known = (classes != IGNORE).unsqueeze(2) | (others & (clip >= 0).unsqueeze(1)).unsqueeze(1)
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none") * known
        which = F.cross_entropy(logits[named], classes[named].long(), label_smoothing=0.1, reduction="none")
        return {"each": mean_or_zero(each.sum(2).flatten()), "which": mean_or_zero(which)}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """``score`` is the log-likelihood of clips as recorded; ``alarms`` are of scenes too.

        A clip's answer is the mean probability over its steps. Likelihood is that at the best of `TEMPERATURES`, since
        a release is calibrated anyway, and not accuracy: that tells nothing more of clips that were learnt long before
        learning is done.
        """
        rows = np.flatnonzero(self._checked.all("raw") | (self._checked.all("clip") < 0))
        device = next(model.parameters()).device
        said = []
        with torch.no_grad():
            for part in np.array_split(rows, max(1, len(rows) // 128)):
                logits, _ = model(torch.from_numpy(self._checked.take("heard", part)).to(device))
                said.append(logits.cpu().numpy())
        probability = expit(np.concatenate(said))
        clip = self._checked.take("clip", rows)
        of_clip, truth = probability[clip >= 0].mean(axis=1), clip[clip >= 0]
        shares = log_softmax(np.log(of_clip) / TEMPERATURES[:, None, None], axis=2)
        likelihood = shares[:, np.arange(len(truth)), truth].mean(axis=1)
        wrong = probability[self._checked.take("classes", rows) == NO_CLASS]
        return {
            "score": float(likelihood.max()),
            "accuracy": float(np.mean(of_clip.argmax(axis=1) == truth)),
            "alarms": float((wrong > 0.5).any(axis=1).mean()),
        }
