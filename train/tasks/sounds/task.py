"""Train a head on the ear that detects ESC-50's classes of everyday sounds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import expit, log_softmax
from torch import Tensor, nn

from models.heads import HeadConfig
from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.fold_arrays import FoldArrays
from train.data.sets import esc50
from train.data.sets.all_sound import AMBIGUOUS, ONLY_MEASURED, check_clips, sound_by_fold
from train.data.sets.catalogue import DATA_SETS, check_apart, whole_of
from train.loop.folds import HoldsOut
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch, LoopConfig
from train.mixing.distillation.example_embeddings import load_example_embeddings
from train.mixing.distillation.examples import DistillationConfig
from train.mixing.distillation.teacher_answers import FRONT_END
from train.mixing.presence import IGNORE
from train.mixing.scenes import NO_CLASS
from train.tasks.ear.task import mean_or_zero
from train.tasks.on_ear import check_ear_holds_out, load_ear, make_head
from train.tasks.sounds.others import load_others

TEMPERATURES = np.geomspace(0.25, 4.0, 17)
"""Temperatures that validation divides logits by in turn; the one with the highest likelihood gives the score."""
TELEPHONE_HZ = 3_400.0, 4_000.0
"""Highest frequency of a telephone's band, and the highest that a sample rate of 8 kHz can have."""


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
        Settings of the examples. They are called lessons in the files of existing runs, so the key stays.
    others : tuple of str
        Names of data sets in `train.data.sets.catalogue` of whose sound the head learns that it is none of the classes
        (`train.data.sets.none_of_classes` says which recordings are); none of ESC-50.
    other_hours : float
        Hours of that sound of each data set, kind and fold, at most.
    other_share : float
        Share of a batch that is such sound.
    telephone_share : float
        Share of the single clips, and of the sound that is none of the classes, that a batch has as heard over a
        telephone, without anything above `TELEPHONE_HZ`.
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
    others: tuple[str, ...] = ("gtzan", "music_speech", "mir1k", "speech")
    other_hours: float = 1.0
    other_share: float = 0.25
    telephone_share: float = 0.0
    fold: int = 5
    validation_fold: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = [name for name in DATA_SETS if whole_of(name) != "esc50" and name not in ONLY_MEASURED]
        if not set(self.others) <= set(allowed):
            raise ConfigError(f"others is {list(self.others)}; expected some of {', '.join(allowed)}")
        check_apart("others", self.others)
        if not (0 <= self.other_share <= 0.5 and self.other_hours > 0):
            raise ConfigError(
                f"other_share is {self.other_share:g} and other_hours {self.other_hours:g}; expected 0 to 0.5, and "
                "more than 0"
            )
        if not 0 <= self.telephone_share <= 1:
            raise ConfigError(f"telephone_share is {self.telephone_share:g}; expected 0 to 1")


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
        rows = {
            fold: load_example_embeddings(
                self.ear, sounds, self.classes, AMBIGUOUS, config.lessons, cache
            ).arrays
            for fold, sounds in self._caches.items()
        }
        self._learnt = FoldArrays([rows[fold] for fold in config.learnt_folds])
        self._checked = FoldArrays([rows[config.checked_fold]])
        self._others = load_others(
            self.ear, config.others, config.learnt_folds, config.other_hours, data, cache
        )
        self._checked_others = load_others(
            self.ear, config.others, [config.checked_fold], config.other_hours, data, cache
        )
        self._single = np.flatnonzero(self._learnt.all("clip") >= 0)
        if config.telephone_share:
            self._telephone = FoldArrays([self._over_telephone(fold, cache) for fold in config.learnt_folds])
            self._checked_telephone = FoldArrays([self._over_telephone(config.checked_fold, cache)])
            self._other_telephone = load_others(
                self.ear,
                config.others,
                config.learnt_folds,
                config.other_hours,
                data,
                cache,
                TELEPHONE_HZ,
            )

    def _over_telephone(self, fold: int, cache: Path) -> dict[str, Array]:
        """Return the clips of a fold, as recorded but for the band of a telephone."""
        config = replace(self.config.lessons, variants=1, scenes=0, excerpts_per_hour=0)
        return load_example_embeddings(
            self.ear, self._caches[fold], self.classes, AMBIGUOUS, config, cache, TELEPHONE_HZ
        ).arrays

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches.values(), *self._others.sounds, *self._checked_others.sounds)

    def make_model(self) -> nn.Module:
        """Return a head with random weights; it normalises its input by the mean and deviation of some embeddings."""
        embeddings, *_ = self.make_batch(self.config.loop.seed, 0, 256)
        return make_head(self.config.model, self.classes, embeddings)

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: single clips of everyday sound, any examples, sound that is none of the classes.

        Single clips are half of it, and ``other_share`` of it is sound that is none of the classes. Of both,
        ``telephone_share`` is as heard over a telephone.

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
        count = round(size * self.config.other_share) if self._others.groups else 0
        any_rows = rng.integers(len(self._learnt), size=size - len(single) - count)
        embeddings, classes, clip = (
            self._learnt.take(name, np.concatenate([single, any_rows]))
            for name in ("embeddings", "classes", "clip")
        )
        heard = round(len(single) * self.config.telephone_share)
        if heard:
            rows = rng.integers(len(self._telephone), size=heard)
            embeddings[:heard], classes[:heard], clip[:heard] = (
                self._telephone.take(name, rows) for name in ("embeddings", "classes", "clip")
            )
        if count:
            heard = round(count * self.config.telephone_share)
            others = [self._others.draw(rng, count - heard)]
            others += [self._other_telephone.draw(rng, heard)] if heard else []
            embeddings = np.concatenate([embeddings, *others])
            classes = np.concatenate([classes, np.full((count, classes.shape[1]), NO_CLASS, np.int8)])
            clip = np.concatenate([clip, np.full(count, -1, np.int16)])
        return tuple(torch.from_numpy(array) for array in (embeddings, classes, clip))

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
            everyday sound, in scenes too, at which any class has a probability above 0.5. ``false``: the same share of
            the steps of sound that is none of the classes, if there is any. ``score``, by which the best weights are
            chosen: log-likelihood of the clips' classes at the best of `TEMPERATURES`, since a release is
            calibrated anyway. Accuracy would stop changing long before learning is done. With ``telephone_share``,
            ``telephone`` is the accuracy on the clips as heard over a telephone.
        """
        rows = np.flatnonzero(self._checked.all("raw") | (self._checked.all("clip") < 0))
        probability = expit(_logits(model, self._checked.take("embeddings", rows)))
        clip = self._checked.take("clip", rows)
        clip_probability, truth = probability[clip >= 0].mean(axis=1), clip[clip >= 0]
        shares = log_softmax(np.log(clip_probability) / TEMPERATURES[:, None, None], axis=2)
        likelihood = shares[:, np.arange(len(truth)), truth].mean(axis=1)
        wrong = probability[self._checked.take("classes", rows) == NO_CLASS]
        figures = {
            "score": float(likelihood.max()),
            "accuracy": float(np.mean(clip_probability.argmax(axis=1) == truth)),
            "alarms": float((wrong > 0.5).any(axis=1).mean()),
        }
        if self.config.telephone_share:
            heard = self._checked_telephone.take("embeddings", np.arange(len(self._checked_telephone)))
            likeliest = expit(_logits(model, heard)).mean(axis=1).argmax(axis=1)
            figures["telephone"] = float(np.mean(likeliest == self._checked_telephone.all("clip")))
        if self._checked_others.groups:
            logits = (_logits(model, found) for _, found in self._checked_others.each())
            figures["false"] = float(
                np.concatenate([(found > 0).any(axis=2).ravel() for found in logits]).mean()
            )
        return figures


def _logits(model: nn.Module, embeddings: Array) -> Array:
    """Return the logits of a model on the embeddings of examples, shape (examples, steps, classes)."""
    device = next(model.parameters()).device
    with torch.no_grad():
        parts = [
            model(torch.from_numpy(part).to(device))[0].cpu().numpy()
            for part in np.array_split(embeddings, max(1, len(embeddings) // 128))
        ]
    return np.concatenate(parts)
