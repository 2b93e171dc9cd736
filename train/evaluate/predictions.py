"""Predictions of a model for held-out clips, step by step. An evaluation writes them; metrics and reports read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train import npz

PREDICTIONS_SCHEMA = 1
"""Version of the format of files; it grows whenever a field of `Predictions` changes its meaning."""
NO_LABEL = -1
"""Index that marks a clip without any of the labels, or a step that is not judged."""
RULES = ("mean_log", "mean_probability", "latest")
"""Names of the rules that combine the scores of a clip's steps: functions of `train.evaluate.metrics.clip_scores`."""
_ARRAYS = {"truth": "i", "folds": "i", "scores": "f"}
_TEXTS = ("task", "model", "command", "rule")


@dataclass(frozen=True)
class Predictions:
    """Scores that a model gave held-out clips, step by step, with the truth.

    Attributes
    ----------
    task, model : str
        Name of the task, such as ``sounds``, and of the model.
    labels : tuple of str
        Names of the scores' last axis.
    clips : tuple of str
        Name of each clip, ``SOURCE/NAME``.
    truth : int array, shape (clips,)
        Index into `labels` of each clip's true label, or -1 if it has none of them.
    folds : int array, shape (clips,)
        Fold in which each clip was held out.
    step_s : float
        Seconds of sound per step: step ``k`` is known after ``(k + 1) * step_s``.
    scores : float32 array, shape (clips, steps, labels)
        Probabilities, 0 to 1; NaN in all labels after a clip's end.
    command : str
        Command that made the predictions.
    rule : {"mean_log", "mean_probability", "latest"}
        Rule that combines the scores of a clip's steps by default.
    step_truth : int8 array, shape (clips, steps), optional
        Truth of each step, for a detector of one label: 1 where the label is present, 0 where it is not, and -1 where
        the step is not judged. None for other models.

    Raises
    ------
    ConfigError
        If shapes, indices or values are inconsistent.
    """

    task: str
    model: str
    labels: tuple[str, ...]
    clips: tuple[str, ...]
    truth: Array
    folds: Array
    step_s: float
    scores: Array
    command: str
    rule: str = "mean_log"
    step_truth: Array | None = None

    def __post_init__(self) -> None:
        self._check_shapes()
        if self.rule not in RULES:
            raise ConfigError(
                f"predictions of {self.model} have rule {self.rule!r}; expected one of {', '.join(RULES)}"
            )
        if self.truth.size and not (self.truth.min() >= NO_LABEL and self.truth.max() < len(self.labels)):
            raise ConfigError(
                f"predictions of {self.model} have truth from {self.truth.min()} to {self.truth.max()}; expected an "
                f"index below {len(self.labels)}, or -1: evaluate again"
            )
        ended = np.isnan(self.scores)
        if (
            ended[:, :1].any()
            or (ended.any(axis=2) != ended.all(axis=2)).any()
            or _resumes(np.all(ended, axis=2))
        ):
            raise ConfigError(
                f"predictions of {self.model} have NaN among a clip's scores; expected it after a clip's end only: "
                "a model gave no number, train it again"
            )
        known = self.scores[~ended]
        if known.size and not (known.min() >= 0 and known.max() <= 1):
            raise ConfigError(
                f"predictions of {self.model} are from {known.min():g} to {known.max():g}; expected probabilities, "
                "0 to 1: evaluate the exported model, whose graph ends in them"
            )
        if not self.step_s > 0:
            raise ConfigError(
                f"predictions of {self.model} have step_s {self.step_s:g}; expected above 0 seconds"
            )

    def _check_shapes(self) -> None:
        clips, labels = len(self.clips), len(self.labels)
        steps = self.scores.shape[1] if self.scores.ndim == 3 else -1
        expected = {"truth": (clips,), "folds": (clips,), "scores": (clips, steps, labels)}
        if self.step_truth is not None:
            expected["step_truth"] = (clips, steps)
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ConfigError(
                    f"predictions of {self.model} have {name} of shape {getattr(self, name).shape}; {clips} clips and "
                    f"{labels} labels need {shape}: evaluate again"
                )

    @property
    def steps(self) -> Array:
        """Number of steps of each clip, int array, shape (clips,)."""
        counts: Array = np.sum(~np.isnan(self.scores[:, :, 0]), axis=1)
        return counts

    @property
    def detects(self) -> bool:
        """Whether the model detects one label, which is present or not, rather than choosing among several."""
        return len(self.labels) == 1

    def save(self, path: Path) -> None:
        """Write the predictions to an npz file, whole or not at all. Its folder is created if it is absent."""
        content = {name: np.array(getattr(self, name)) for name in (*_TEXTS, "step_s", *_ARRAYS)}
        content |= {name: np.array(getattr(self, name), dtype=np.str_) for name in ("labels", "clips")}
        if self.step_truth is not None:
            content["step_truth"] = self.step_truth.astype(np.int8)
        npz.write(path, {"schema": np.array(PREDICTIONS_SCHEMA), **content})


def load(path: Path) -> Predictions:
    """Return the predictions in a file that `Predictions.save` wrote, without unpickling.

    Raises
    ------
    ConfigError
        If the file is absent, of another kind or schema, or inconsistent.
    """
    content = npz.read(path, "predictions", "python -m train evaluate")
    schema = content.get("schema")
    if schema is None or schema.shape != () or schema != PREDICTIONS_SCHEMA:
        raise ConfigError(f"{path} has schema {schema}; expected {PREDICTIONS_SCHEMA}: evaluate again")
    missing = {*_TEXTS, *_ARRAYS, "labels", "clips", "step_s"} - set(content)
    if missing:
        raise ConfigError(f"{path} lacks {', '.join(sorted(missing))}; evaluate again")
    for name, kind in _ARRAYS.items():
        if content[name].dtype.kind != kind:
            raise ConfigError(
                f"{path} has {name} of {content[name].dtype}; expected kind {kind!r}: evaluate again"
            )
    return Predictions(
        task=str(content["task"]),
        model=str(content["model"]),
        labels=tuple(content["labels"].tolist()),
        clips=tuple(content["clips"].tolist()),
        truth=content["truth"],
        folds=content["folds"],
        step_s=float(content["step_s"]),
        scores=content["scores"],
        command=str(content["command"]),
        rule=str(content["rule"]),
        step_truth=content.get("step_truth"),
    )


def pool(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of several held-out folds, joined to one.

    Raises
    ------
    ConfigError
        If `parts` is empty, if the parts differ in task, labels, step or rule, or if a clip occurs twice.
    """
    if not parts:
        raise ConfigError("no predictions to pool; expected at least one file: python -m train evaluate")
    first = parts[0]
    for part in parts[1:]:
        for name in ("task", "labels", "step_s", "rule"):
            if getattr(part, name) != getattr(first, name):
                raise ConfigError(
                    f"predictions of {part.model} have {name} {getattr(part, name)}, those of {first.model} "
                    f"{getattr(first, name)}; expected equal ones: report unlike runs apart"
                )
        if (part.step_truth is None) != (first.step_truth is None):
            raise ConfigError(
                f"predictions of {part.model} and {first.model}: one has no step_truth; evaluate both again"
            )
    clips = tuple(clip for part in parts for clip in part.clips)
    if len(set(clips)) < len(clips):
        twice = next(clip for place, clip in enumerate(clips) if clip in clips[:place])
        raise ConfigError(
            f"clip {twice} was held out twice; expected runs of unlike folds: report them apart"
        )
    longest = max(part.scores.shape[1] for part in parts)
    truths = [_stretched(p.step_truth, longest, NO_LABEL) for p in parts if p.step_truth is not None]
    return Predictions(
        task=first.task,
        model=", ".join(dict.fromkeys(part.model for part in parts)),
        labels=first.labels,
        clips=clips,
        truth=np.concatenate([part.truth for part in parts]),
        folds=np.concatenate([part.folds for part in parts]),
        step_s=first.step_s,
        scores=np.concatenate([_stretched(part.scores, longest, np.nan) for part in parts]),
        command="; ".join(dict.fromkeys(part.command for part in parts)),
        rule=first.rule,
        step_truth=np.concatenate(truths) if truths else None,
    )


def stacked(scores: Sequence[Array]) -> Array:
    """Return scores of several clips as one array, (clips, steps, labels), with NaN after the end of shorter clips."""
    steps = max(len(clip) for clip in scores)
    return np.stack([_stretched(clip[None], steps, np.nan)[0] for clip in scores])


def _stretched(x: Array, steps: int, fill: float) -> Array:
    widths = [(0, 0), (0, steps - x.shape[1])] + [(0, 0)] * (x.ndim - 2)
    return np.pad(x, widths, constant_values=fill)


def _resumes(ended: Array) -> bool:
    """Return whether a clip has a number after a NaN."""
    return bool((ended[:, :-1] & ~ended[:, 1:]).any())


def select(predictions: Predictions, wanted: Array) -> Predictions:
    """Return the predictions of the clips for which `wanted`, bool, shape (clips,), is True."""
    return replace(
        predictions,
        clips=tuple(clip for clip, keep in zip(predictions.clips, wanted, strict=True) if keep),
        truth=predictions.truth[wanted],
        folds=predictions.folds[wanted],
        scores=predictions.scores[wanted],
        step_truth=None if predictions.step_truth is None else predictions.step_truth[wanted],
    )


def steps_between(predictions: Predictions, first: int, stop: int) -> Predictions:
    """Return the predictions of the steps from `first` to before `stop`, of clips that have that many steps."""
    kept = select(predictions, predictions.steps >= stop)
    truth = None if kept.step_truth is None else kept.step_truth[:, first:stop]
    return replace(kept, scores=kept.scores[:, first:stop], step_truth=truth)
