"""Heads on the ear: what all have in common when they learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.heads import Head, HeadConfig
from streamer.errors import ConfigError
from streamer.inference.onnx import OnnxModel
from streamer.stage import Array
from train.data import esc50
from train.data.all_sound import IN_DOUBT, check_clips, recordings
from train.data.cache import SoundCache
from train.data.heard import heard
from train.data.lessons import FRONT_END, LessonConfig, Lessons, lessons_of
from train.data.recordings import FOLDS
from train.data.rows import Rows
from train.data.scenes import IGNORE
from train.run import DataUsed, data_used
from train.task import Batch, LoopConfig
from train.tasks.ear import check_held_out, mean_or_zero


@dataclass(frozen=True)
class HeadRunConfig:
    """A run of a head.

    Attributes
    ----------
    ear : str
        Exported or released folder of the ear.
    model : HeadConfig
    loop : LoopConfig
    lessons : LessonConfig
        Those that the ear learnt from.
    fold, validation_fold : int
        As in `train.tasks.ear.EarRunConfig`, and the same as the ear's: it must not have heard the test.
    """

    ear: str = "models/released/ear"
    model: HeadConfig = field(default_factory=HeadConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=2_000, batch=64, learning_rate=2e-3, weight_decay=0.1, workers=0
        )
    )
    lessons: LessonConfig = field(default_factory=LessonConfig)
    fold: int = 5
    validation_fold: int = 4

    def __post_init__(self) -> None:
        check_held_out(self.fold, self.validation_fold)

    @property
    def learnt_folds(self) -> tuple[int, ...]:
        """Folds that the weights are learnt from."""
        return tuple(fold for fold in FOLDS if fold not in (self.fold, self.validation_fold))


class HeadTask:
    """A head for `train.loop`; subclasses say what is to be told.

    Parameters
    ----------
    config : HeadRunConfig
    data, cache : Path
        Folders of the data sets and of what is made of them.

    Raises
    ------
    ConfigError
        If the ear of the configuration is none.
    """

    name: ClassVar[str]
    front_end = FRONT_END.config

    def __init__(self, config: HeadRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        self.ear = OnnxModel(Path(config.ear))
        if not self.ear.manifest.is_ear:
            raise ConfigError(
                f"ear={config.ear!r} decides {self.ear.manifest.task}; expected the folder of an ear: python -m train "
                "export ear --out FOLDER"
            )
        classes = esc50.classes(data)
        self.labels = self.labels_of(classes)
        folds = {*config.learnt_folds, config.validation_fold} - {0}
        self._caches = {fold: SoundCache(recordings(data, [fold]), cache) for fold in sorted(folds)}
        check_clips(self._caches, config.learnt_folds, classes)
        self._check_folds()
        self._lessons = {
            fold: lessons_of(sounds, classes, IN_DOUBT, config.lessons, data, cache)
            for fold, sounds in self._caches.items()
        }
        self._heard = {fold: heard(self.ear, lessons) for fold, lessons in self._lessons.items()}
        self._learnt = self._rows(config.learnt_folds)
        self._checked = self._rows([config.validation_fold or config.learnt_folds[0]])
        clip = self._learnt.all("clip")
        self._single = np.flatnonzero(clip >= 0)

    def _check_folds(self) -> None:
        """Refuse an ear that has heard what is held out here."""
        asked = {"fold": self.config.fold, "validation_fold": self.config.validation_fold}
        held_out = self.ear.manifest.results.get("held out")
        if held_out != asked:
            raise ConfigError(
                f"ear={self.config.ear!r} holds out {held_out}; expected {asked}, or it has heard what this head is to "
                "be measured on: train an ear on the same folds"
            )

    @staticmethod
    def labels_of(classes: Sequence[str]) -> tuple[str, ...]:
        """Names of the outputs, given the classes of everyday sound."""
        raise NotImplementedError

    @staticmethod
    def steps_of(lessons: Lessons) -> Array:
        """The label of each step, shape (lessons, STEPS): its place, `NO_CLASS` for none, or `IGNORE`."""
        raise NotImplementedError

    def figures(self, logits: Array, labels: Array, clip: Array) -> dict[str, float]:
        """Figures of validation, with ``score``."""
        raise NotImplementedError

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches.values())

    def make_model(self) -> nn.Module:
        """A head that normalises as the first embeddings ask for."""
        model = Head(self.config.model, self.ear.manifest.output_size, self.labels)
        embeddings, *_ = self.make_batch(self.config.loop.seed, 0, 256)
        flat = embeddings.flatten(0, 1)
        model.set_normalisation(flat.mean(0), flat.std(0))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Embeddings (size, steps, embedding), the label of each step, and of each lesson that is a single clip.

        The first half are single clips; the others' label is -1.
        """
        rng = np.random.default_rng((seed, step))
        single = self._single[rng.integers(len(self._single), size=size // 2)]
        rows = np.concatenate([single, rng.integers(len(self._learnt), size=size - len(single))])
        taken = [self._learnt.take(name, rows) for name in ("heard", "labels", "clip")]
        return tuple(torch.from_numpy(array) for array in taken)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Each label by itself, and, where there are several and one of them sounds, which one it is.

        In a single clip no other label ever sounds, not even where nobody can say whether its own does.
        """
        embeddings, labels, clip = batch
        logits, _ = model(embeddings)
        named = labels >= 0
        targets = F.one_hot(labels.clamp(min=0).long(), logits.shape[2]).float() * named.unsqueeze(2)
        others = F.one_hot(clip.clamp(min=0).long(), logits.shape[2]) == 0
        known = (labels != IGNORE).unsqueeze(2) | (others & (clip >= 0).unsqueeze(1)).unsqueeze(1)
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none") * known
        parts = {"each": mean_or_zero(each.sum(2).flatten())}
        if logits.shape[2] > 1:
            which = F.cross_entropy(
                logits[named], labels[named].long(), label_smoothing=0.1, reduction="none"
            )
            parts["which"] = mean_or_zero(which)
        return parts

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures on clips as recorded and on scenes."""
        rows = np.flatnonzero(self._checked.all("raw") | (self._checked.all("clip") < 0))
        device = next(model.parameters()).device
        said = []
        with torch.no_grad():
            for part in np.array_split(rows, max(1, len(rows) // 128)):
                logits, _ = model(torch.from_numpy(self._checked.take("heard", part)).to(device))
                said.append(logits.cpu().numpy())
        return self.figures(
            np.concatenate(said), self._checked.take("labels", rows), self._checked.take("clip", rows)
        )

    def _rows(self, folds: Sequence[int]) -> Rows:
        return Rows(
            [
                {
                    "heard": self._heard[fold],
                    "labels": self.steps_of(self._lessons[fold]),
                    "clip": self._lessons[fold].clip,
                    "raw": self._lessons[fold].raw,
                }
                for fold in folds
            ]
        )
