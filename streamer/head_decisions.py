"""From the scores of all labels of a head to its decisions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from streamer.decisions import Change, Decider, DeciderState
from streamer.stage import Array

_BELOW_ALL = -1.0
"""Below every threshold, an `off` of 0 too: what is not the likeliest cannot set in."""


@dataclass
class HeadState:
    """What a `HeadDecisions` carries from step to step.

    Attributes
    ----------
    origin : int
        Sample that the head hears from.
    labels : list of DeciderState
    awake : set of int
        Labels that go on, or may soon, or of which nothing was told yet.
    scores : array or None
        The last that were decided on.
    """

    origin: int
    labels: list[DeciderState]
    awake: set[int]
    scores: Array | None = None


@dataclass(frozen=True)
class HeadDecisions:
    """A `Decider` for each label, after a warm-up.

    A head with one label tells at once how things stand; one with several tells only what sets in. Where
    labels exclude each other, at most one goes on: it stays until its own score falls, or until another that
    is the likeliest has lasted, which then takes its place.

    Parameters
    ----------
    deciders : tuple of Decider
        In the order of the scores.
    exclusive : bool
    warm_up_samples : int
        So much must have been heard before anything is said.
    """

    deciders: tuple[Decider, ...]
    exclusive: bool
    warm_up_samples: int

    @cached_property
    def _on(self) -> Array:
        return np.array([decider.on for decider in self.deciders])

    def init(self, origin: int) -> HeadState:
        """State of a head that hears from sample `origin` on."""
        on = None if len(self.deciders) == 1 else False
        labels = [decider.init(origin, on) for decider in self.deciders]
        return HeadState(origin, labels, {n for n, label in enumerate(labels) if not label.at_rest})

    def step(self, scores: Array, start: int, stop: int, state: HeadState) -> list[Change] | None:
        """Take the scores of samples `start` to `stop`.

        Parameters
        ----------
        scores : array, shape (labels,)
            Probabilities, 0 to 1.
        start, stop : int
            Samples that are new in them.
        state : HeadState
            Updated.

        Returns
        -------
        list of Change, or None
            What is to be told; None if too little was heard for these scores to mean anything.
        """
        if stop - state.origin <= self.warm_up_samples:
            return None
        state.scores = scores
        likeliest = int(scores.argmax()) if self.exclusive else None
        told: list[Change] = []
        for n in self._to_step(scores, likeliest, state):
            label = state.labels[n]
            counts = likeliest is None or n == likeliest or label.on
            score = float(scores[n]) if counts else _BELOW_ALL
            change, after = self.deciders[n].step(score, start, stop, label)
            if change and change.state == "on" and self.exclusive:
                told += self._end_all(change.since, stop, state)
            told += [change] if change else []
            self._keep(n, after, state)
        return told

    def end(self, stop: int, state: HeadState) -> list[Change]:
        """What is to be told when the sound ends, is lost or is no longer heard at `stop`: nothing goes on."""
        return self._end_all(stop, stop, state)

    def _to_step(self, scores: Array, likeliest: int | None, state: HeadState) -> list[int]:
        """The labels of which something may be told or change: the likeliest first, for it may end another."""
        above = np.flatnonzero(scores >= self._on).tolist()
        return sorted(state.awake.union(above), key=lambda n: (n != likeliest, n))

    def _end_all(self, since: int, at: int, state: HeadState) -> list[Change]:
        told = []
        for n in sorted(state.awake):
            if state.labels[n].on:
                assert state.scores is not None  # or it could not have gone on
                change, after = self.deciders[n].end(float(state.scores[n]), since, at, state.labels[n])
                told += [change] if change else []
                self._keep(n, after, state)
        return told

    @staticmethod
    def _keep(n: int, label: DeciderState, state: HeadState) -> None:
        state.labels[n] = label
        (state.awake.discard if label.at_rest else state.awake.add)(n)
