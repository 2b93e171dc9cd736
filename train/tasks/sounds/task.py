"""Train a head on the ear that detects ESC-50's classes of everyday sounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import expit, log_softmax
from torch import Tensor, nn

from streamer.arrays import Array
from train.data.fold_arrays import FoldArrays
from train.data.sets import esc50
from train.data.sets.all_sound import AMBIGUOUS, check_clips, sound_by_fold
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch
from train.mixing.distillation.example_embeddings import load_example_embeddings
from train.mixing.distillation.teacher_answers import FRONT_END
from train.mixing.presence import IGNORE
from train.mixing.scenes import NO_CLASS
from train.tasks.ear.task import mean_or_zero
from train.tasks.on_ear import check_ear_holds_out, load_ear, make_head
from train.tasks.sounds.config import SoundsRunConfig
from train.tasks.sounds.example_groups import GroupLoader

TEMPERATURES = np.geomspace(0.25, 4.0, 17)
"""Temperatures that validation divides logits by in turn; the one with the highest likelihood gives the score."""
TELEPHONE_HZ = 3_400.0, 4_000.0
"""Highest frequency of a telephone's band, and the highest that a sample rate of 8 kHz can have."""


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
        self._single = np.flatnonzero(self._learnt.all("clip") >= 0)
        groups = GroupLoader(self.ear, self.classes, data, cache)
        further, others = config.learnt(config.clips), config.learnt(config.others)
        learnt, variants, hours = config.learnt_folds, config.clip_variants, config.other_hours
        self._further = groups.clips(further, variants, learnt)
        self._further_of_class: dict[int, list[FoldArrays]] = {}
        for group in self._further.groups.values():
            self._further_of_class.setdefault(int(group.all("clip")[0]), []).append(group)
        self._others = groups.others(others, hours, learnt)
        self._checked_others = groups.others(others, hours, [config.checked_fold])
        if config.telephone_share:
            self._telephone = FoldArrays([self._over_telephone(fold, cache) for fold in learnt])
            self._checked_telephone = FoldArrays([self._over_telephone(config.checked_fold, cache)])
            self._other_telephone = groups.others(others, hours, learnt, TELEPHONE_HZ)

    def _over_telephone(self, fold: int, cache: Path) -> dict[str, Array]:
        """Return the clips of a fold, as recorded but for the band of a telephone."""
        config = replace(self.config.lessons, variants=1, scenes=0, excerpts_per_hour=0)
        return load_example_embeddings(
            self.ear, self._caches[fold], self.classes, AMBIGUOUS, config, cache, TELEPHONE_HZ
        ).arrays

    def data_hash(self) -> DataUsed:
        groups = self._further, self._others, self._checked_others
        return data_used(*self._caches.values(), *(sounds for group in groups for sounds in group.sounds))

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
        parts = list(self._draw(rng, size))
        return tuple(
            torch.from_numpy(np.concatenate([part[name] for part in parts]))
            for name in ("embeddings", "classes", "clip")
        )

    def _draw(self, rng: np.random.Generator, size: int) -> Iterator[Mapping[str, Array]]:
        """Yield the arrays of the parts of a batch."""
        config, count = self.config, size // 2
        others = round(size * config.other_share) if self._others.groups else 0
        clips = self._draw_clips(rng, count)
        examples = _take(self._learnt, rng.integers(len(self._learnt), size=size - count - others))
        if heard := round(count * config.telephone_share):
            telephone = _take(self._telephone, rng.integers(len(self._telephone), size=heard))
            clips = {name: np.concatenate([telephone[name], array[heard:]]) for name, array in clips.items()}
        yield clips
        yield examples
        if others:
            heard = round(others * config.telephone_share)
            yield self._others.draw(rng, others - heard)
            if heard:
                yield self._other_telephone.draw(rng, heard)

    def _draw_clips(self, rng: np.random.Generator, count: int) -> dict[str, Array]:
        """Return the arrays of random single clips, by name: of ESC-50, and of the further data sets in their stead.

        A clip gives way to one of its own class, so that all classes stay equally frequent.
        """
        found = _take(self._learnt, self._single[rng.integers(len(self._single), size=count)])
        for row in np.flatnonzero(rng.random(count) < self.config.clip_share):
            groups = self._further_of_class.get(int(found["clip"][row]), ())
            if groups:
                group = groups[rng.integers(len(groups))]
                drawn = _take(group, rng.integers(len(group), size=1))
                for name, array in drawn.items():
                    found[name][row] = array[0]
        return found

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


def _take(arrays: FoldArrays, rows: Array) -> dict[str, Array]:
    return {name: arrays.take(name, rows) for name in ("embeddings", "classes", "clip")}


def _logits(model: nn.Module, embeddings: Array) -> Array:
    """Return the logits of a model on the embeddings of examples, shape (examples, steps, classes)."""
    device = next(model.parameters()).device
    with torch.no_grad():
        parts = [
            model(torch.from_numpy(part).to(device))[0].cpu().numpy()
            for part in np.array_split(embeddings, max(1, len(embeddings) // 128))
        ]
    return np.concatenate(parts)
