"""Figures of an exported model on held-out clips with one label each, stepped like live listening."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from streamer.inference.manifest_parts import Thresholds
from train.data.cache import SoundCache
from train.evaluate.metrics.classification import accuracy_by_duration, clip_accuracy, confused_pairs
from train.evaluate.operating_points import Goal, operating_point, operating_points
from train.evaluate.predictions import Predictions, stacked
from train.evaluate.stepped_scores import SteppedScorer
from train.loop.registry import Evaluation


class ClipFigures:
    """Figures of an exported model on held-out clips. Subclasses, one for each task, choose the clips and the figures.

    Parameters
    ----------
    folder : Path
        Folder of the model; its ear lies beside it or is released.
    clips : SoundCache
        Clips that were held out.

    Raises
    ------
    ConfigError
        If a clip has a label that the model does not know.
    """

    task: ClassVar[str]
    rule: ClassVar[str]
    """Rule by which the scores of all steps give the label of a clip; see `Predictions`."""

    def __init__(self, folder: Path, clips: SoundCache) -> None:
        self._scorer = SteppedScorer.of(folder)
        self._clips = clips
        labels = self._scorer.manifest.labels
        strange = sorted({clip.category for clip in clips.recordings} - set(labels))
        if strange:
            raise ConfigError(
                f"clips are of {', '.join(strange)}, which model {folder} does not know; expected only labels of its "
                "own: measure it on the data that it learnt from, or train anew"
            )
        self._clip_scores = self._scores(clips)

    def predictions(self, command: str) -> Predictions:
        """Return the scores of every step of every clip, with the true labels; `command` is noted as their origin."""
        labels = self._scorer.manifest.labels
        clips = self._clips.recordings
        return Predictions(
            task=self.task,
            model=self._scorer.manifest.name,
            labels=labels,
            clips=tuple(f"{clip.source}/{clip.name}" for clip in clips),
            truth=np.array([labels.index(clip.category) for clip in clips]),
            folds=np.array([clip.fold for clip in clips]),
            step_s=self._scorer.step_s,
            scores=stacked(self._clip_scores),
            command=command,
            rule=self.rule,
        )

    @cached_property
    def _predictions(self) -> Predictions:
        """Predictions without a command, from which figures are computed."""
        return self.predictions("")

    @property
    def decides(self) -> bool:
        """Whether the model has operating points, without which no label is ever on."""
        return bool(self._scorer.manifest.operating_points)

    def clips(self) -> dict[str, Any]:
        """Clips of the held-out fold: accuracy by all steps of each.

        Returns
        -------
        dict
            ``clips``, their number; ``accuracy``, the share of clips whose label is found; and a text with the
            confidence interval of the accuracy, as in ``0.801 to 0.846``.
        """
        return clip_accuracy(self._predictions)

    def accuracy_by_time(self) -> dict[str, float]:
        """Accuracy after the first seconds of a clip.

        Returns
        -------
        dict
            Share of the clips whose label is found from their first seconds alone, by text such as ``0.5 s``.
        """
        found = accuracy_by_duration(self._predictions)
        return {f"{seconds:g} s": round(value, 4) for seconds, value in found.items()}

    def confused(self) -> dict[str, int]:
        """The pairs of labels that are most often taken for each other: clips.

        Returns
        -------
        dict
            Number of clips, by text such as ``rain as wind`` for clips of rain that are taken for wind; at most eight.
        """
        return confused_pairs(self._predictions)

    def decisions(self) -> dict[str, float]:
        """Clips in which their own label is on at any step past the warm-up, and how many others are on in a clip.

        Returns
        -------
        dict
            For each operating point, such as ``balanced``: ``balanced, own``, the share of clips in which their own
            label is on at some step, and ``balanced, others``, the mean number of other labels that are on at some step
            of a clip.
        """
        truth = self._predictions.truth
        found: dict[str, float] = {}
        for preference in self._scorer.manifest.operating_points:
            on = np.stack([self._on(scores, preference).any(axis=0) for scores in self._clip_scores])
            own = on[np.arange(len(truth)), truth]
            found[f"{preference}, own"] = round(float(own.mean()), 4)
            found[f"{preference}, others"] = round(float((on.sum(1) - own).mean()), 4)
        return found

    def points_of(self, goal: Goal, sounding: list[Array]) -> tuple[Thresholds, ...]:
        """Return the thresholds of each label that reach `goal` on the clips, in the order of the labels.

        The threshold ``on`` comes from the label's highest score in each clip, and ``off`` from single steps.

        Parameters
        ----------
        goal : Goal
            Aim of the choice, such as a precision.
        sounding : list of Array, shape (steps,)
            For each label, its scores at the steps at which it is audible.
        """
        highest = np.stack([self._decided(scores).max(axis=0) for scores in self._clip_scores])
        truth = self._predictions.truth[:, None] == np.arange(highest.shape[1])
        on = [point.on for point in operating_points(highest, truth, goal)]
        return tuple(operating_point(one, scores) for one, scores in zip(on, sounding, strict=True))

    def _decided(self, scores: Array) -> Array:
        """Return the scores past the warm-up, or the last score of a clip that is no longer than the warm-up."""
        return scores[min(self._scorer.warm_up_steps, len(scores) - 1) :]

    def _on(self, scores: Array, preference: str) -> Array:
        """Return which labels reach their threshold at each step past the warm-up, bool, shape (steps, labels)."""
        on = np.array([point.on for point in self._scorer.manifest.thresholds(preference)])
        return self._decided(scores) >= on

    def _scores(self, sounds: SoundCache) -> list[Array]:
        return self._scorer.all_scores(sounds.sounds)


class Figures(Protocol):
    """Figures of an exported model on one fold."""

    def predictions(self, command: str) -> Predictions:
        """Return the scores of every step of every recording; `command` is noted as their origin."""
        ...

    def all(self) -> dict[str, Any]:
        """Return all figures by name, for the manifest."""
        ...


def figures_of(figures: Figures, evaluation: Evaluation, command: str) -> dict[str, Any]:
    """Return all figures of a model by name, and write the scores behind them where the evaluation asks for them.

    Parameters
    ----------
    figures : Figures
    evaluation : Evaluation
        Request that the figures answer.
    command : str
        Command that is noted as the origin of the scores.
    """
    if evaluation.predictions:
        figures.predictions(command).save(evaluation.predictions / f"{evaluation.split}.npz")
    return figures.all()


def with_descriptions(figures: Mapping[str, Callable[[], Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the entries of each figure by the figure's name, with a description under ``what``, for the manifest.

    The description is the first paragraph of the docstring of the method that measures the figure. Such a paragraph is
    therefore a noun phrase that a reader of the manifest understands.
    """
    return {
        name: {"what": " ".join((measure.__doc__ or "").split("\n\n")[0].split()), **measure()}
        for name, measure in figures.items()
    }
