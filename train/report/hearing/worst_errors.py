"""Choose the recordings about which a model is wrong for the longest time."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamer.arrays import Array
from train.data.decode import RATE_HZ
from train.evaluate.hearing.counts import FEW, counted_mask
from train.evaluate.hearing.listeners import Decisions, Listener
from train.evaluate.hearing.measured_sound import MeasuredExample
from train.mixing.presence import NAMES, OTHER, PRESENT, presence_of

WRONG = "wrong labels"
"""Name of the error of a model of many labels: a label that is not the recording's category."""


@dataclass(frozen=True)
class Error:
    """A mistake of a model about a recording.

    Attributes
    ----------
    name : str
        Name of the error, such as ``false music``, ``missed music`` or `WRONG`.
    listener : Listener
        The model.
    example : MeasuredExample
        The recording.
    decisions : Decisions
        Decisions of the model.
    labels : tuple of str
        Labels that the error is about, the longest first.
    seconds : float
        Time during which the model was wrong, of the time that counts.
    """

    name: str
    listener: Listener
    example: MeasuredExample
    decisions: Decisions
    labels: tuple[str, ...]
    seconds: float


@dataclass
class Worst:
    """Keeps the greatest errors of each name and model, at most one of each collection and category.

    Parameters
    ----------
    most : int
        Number of errors to keep of each name and model.
    """

    most: int
    _kept: dict[tuple[str, str], dict[tuple[str, str], Error]] = field(default_factory=dict)

    def add(self, listener: Listener, example: MeasuredExample, decisions: Decisions) -> None:
        """Keep the errors of a model about a recording, if they are among the greatest."""
        for error in _errors(listener, example, decisions):
            kept = self._kept.setdefault((listener.name, error.name), {})
            origin = example.collection, example.recording.category
            if origin not in kept or error.seconds > kept[origin].seconds:
                kept[origin] = error
            if len(kept) > self.most:
                kept.pop(min(kept, key=lambda place: kept[place].seconds))

    def errors(self) -> list[Error]:
        """Return the errors that were kept, by model and name, the greatest first."""
        groups = [sorted(kept.values(), key=lambda error: -error.seconds) for kept in self._kept.values()]
        return [error for group in groups for error in group]


def _errors(listener: Listener, example: MeasuredExample, decisions: Decisions) -> list[Error]:
    counted = counted_mask(example.sound)
    found = []
    if len(listener.labels) > FEW:
        wrong = {label for label, _, _ in decisions.spans if label != example.recording.category}
        times = {label: _seconds(decisions.on({label}, len(counted)) & counted) for label in wrong}
        found.append((WRONG, tuple(sorted(times, key=lambda label: -times[label]))))
    else:  # what is left open is neither false nor missed
        names = {OTHER: "false", PRESENT: "missed"}
        truths = dict(zip(NAMES, presence_of(example.recording), strict=True))
        found += [
            (f"{names[truths[label]]} {label}", (label,))
            for label in listener.labels
            if truths.get(label) in names
        ]
    errors = []
    for name, labels in found:
        on = decisions.on(set(labels), len(counted)) & counted
        seconds = _seconds(counted & ~on if name.startswith("missed") else on)
        if seconds > 0:
            errors.append(Error(name, listener, example, decisions, labels, seconds))
    return errors


def _seconds(mask: Array) -> float:
    return float(mask.sum()) / RATE_HZ
