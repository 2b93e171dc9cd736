"""Everyday sounds: which of ESC-50's classes sound, a head on the ear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from streamer.stage import Array
from train.data.lessons import Lessons
from train.data.scenes import NO_CLASS
from train.tasks.head import HeadTask


class SoundsTask(HeadTask):
    """The sounds for `train.loop`."""

    name = "sounds"

    @staticmethod
    def labels_of(classes: Sequence[str]) -> tuple[str, ...]:
        return tuple(classes)

    @staticmethod
    def steps_of(lessons: Lessons) -> Array:
        return lessons.classes

    def figures(self, logits: Array, labels: Array, clip: Array) -> dict[str, float]:
        """``score`` is the accuracy of clips by their mean probabilities."""
        single = clip >= 0
        said = expit(logits[single]).mean(axis=1)
        accuracy = float(np.mean(said.argmax(axis=1) == clip[single]))
        wrong = expit(logits[labels == NO_CLASS])
        return {"score": accuracy, "alarms": float((wrong > 0.5).any(axis=1).mean())}
