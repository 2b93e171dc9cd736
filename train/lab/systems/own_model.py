"""Our own models as systems of the laboratory: they are not trained here, and are measured on what they held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.sets.all_sound import music_or_not
from train.errors import AbsentError
from train.evaluate import cost
from train.evaluate.metrics.classification import accuracy, right
from train.evaluate.predictions import Predictions
from train.evaluate.stepped_scores import SteppedScorer
from train.lab.measured import Measured, peak_memory_mb
from train.lab.outcomes import Outcomes
from train.lab.systems.classifier import figures_of
from train.lab.systems.segments import names_of, segments_of
from train.loop.registry import find_plugin, released_config
from train.loop.run import CACHE, data_folder, read_metrics
from train.tasks.genre.figures import GenreFigures
from train.tasks.sounds.figures import SoundsFigures

Answer = Callable[[Path, Any, Path, Path], tuple[dict[str, float], Outcomes]]
"""``answer(folder, config, data, cache)`` returns the figures of an exported model on the test fold of `config`, and
how often it was right about each recording."""
Hear = Callable[[SteppedScorer, Array, Array], Array]
"""``hear(scorer, sound, seconds)`` returns a gate's probability of music at the end of some whole seconds of a sound,
shape (seconds,), by the number of each second."""


@dataclass(frozen=True)
class OwnModel:
    """One of our models, stepped as in a live stream; see `train.lab.measured.System`.

    Attributes
    ----------
    task : str
        Name of the task that trains it.
    folder : Path
        Folder of the exported model, whose manifest names the fold that was held out.
    answer : callable
        Function that measures it.
    """

    task: str
    folder: Path
    answer: Answer
    causal: ClassVar[bool] = True

    def measure(self, name: str, folds: Sequence[int]) -> tuple[Measured, Outcomes]:
        """Measure the model on the fold that it held out.

        Raises
        ------
        AbsentError
            If the model is not there.
        ConfigError
            If `folds` has another fold than the one that it held out.
        """
        if not self.folder.is_dir():
            raise AbsentError(
                f"{name} is measured by {self.folder}, which is not there; expected a {self.task} that holds a fold "
                "out: make it as docs/results.md says"
            )
        config = released_config(find_plugin(self.task), self.folder)
        fold = config.fold_of("test")
        if strange := sorted(set(folds) - {fold}):
            raise ConfigError(f"{name} has learnt from fold {strange[0]}; expected {fold}, which it held out")
        figures, outcomes = self.answer(self.folder, config, data_folder(), CACHE)
        together = cost.measure([self.folder], name)["together"]
        trained = read_metrics(self.folder.parent)
        return Measured(
            {figure: {str(fold): round(value, 4)} for figure, value in figures.items()},
            together["parameters"],
            round(together["macs_per_s"] / 1e6, 2),
            round(together["core_ms_per_s"], 3),
            peak_memory_mb(),
            round(trained[-1]["seconds"] / 60, 1) if trained else None,
        ), outcomes


def gate_answer(hear: Hear) -> Answer:
    """Return the function that measures a gate on segments of 1 s, which it hears by `hear`."""

    def answer(folder: Path, config: Any, data: Path, cache: Path) -> tuple[dict[str, float], Outcomes]:
        scorer, fold = SteppedScorer.of(folder, "gate"), config.fold_of("test")
        sounds = SoundCache(music_or_not(data, cache, [fold]), cache)
        found = [
            (index, hear(scorer, sounds.samples(index), seconds)) for index, seconds in segments_of(sounds)
        ]
        probability = np.concatenate([scores for _, scores in found])
        recording = np.repeat([index for index, _ in found], [len(scores) for _, scores in found])
        is_music = np.array([one.kind == "music" for one in sounds.recordings])[recording]
        names = np.array(names_of(sounds))[recording]
        outcomes = Outcomes.count(names.tolist(), np.full(len(names), fold), (probability > 0.5) == is_music)
        return figures_of(is_music, probability), outcomes

    return answer


def from_a_fresh_start(scorer: SteppedScorer, sound: Array, seconds: Array) -> Array:
    """Return the probability of music after each second alone, whose state is fresh at its beginning; a `Hear`."""
    alone = [sound[second * RATE_HZ : (second + 1) * RATE_HZ] for second in seconds]
    return np.array([scores[-1, 0] for scores in scorer.all_scores(alone)])


def listening_on(scorer: SteppedScorer, sound: Array, seconds: Array) -> Array:
    """Return the probability of music after each second, heard from the beginning of the sound on; a `Hear`."""
    ends = (seconds + 1) * RATE_HZ
    known = (ends - int(scorer.chain.latency)) // scorer.step_samples
    found: Array = scorer.all_scores([sound])[0][known, 0]
    return found


def sounds_answer(folder: Path, config: Any, data: Path, cache: Path) -> tuple[dict[str, float], Outcomes]:
    """Measure a head for everyday sounds on the clips of ESC-50, by all steps of each; an `Answer`."""
    return _of_clips(SoundsFigures(folder, config, data, cache, "test").predictions(""))


def genre_answer(folder: Path, config: Any, data: Path, cache: Path) -> tuple[dict[str, float], Outcomes]:
    """Measure a genre model on the first 3 s of tracks, by its last score; an `Answer`."""
    return _of_clips(GenreFigures(folder, config, data, cache, "test").mel_predictions(""))


def _of_clips(predictions: Predictions) -> tuple[dict[str, float], Outcomes]:
    """Return the accuracy, and whether each clip was classified rightly."""
    outcomes = Outcomes.count(predictions.clips, predictions.folds, right(predictions))
    return {"accuracy": accuracy(predictions)}, outcomes
