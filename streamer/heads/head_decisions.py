"""From the scores of all labels of a head to its decisions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from streamer.head_slots import DecisionConfig
from streamer.heads.hysteresis import Change, Hysteresis, HysteresisState
from streamer.inference.manifest import Manifest, Thresholds

_BELOW_ALL = -1.0
"""Below every threshold, an `off` of 0 too: what is not the likeliest cannot set in."""


@dataclass
class HeadState:
    """What a `HeadDecisions` carries from step to step.

    Attributes
    ----------
    origin : int
        Sample that the head hears from.
    labels : list of HysteresisState
    awake : set of int
        Labels that go on, or may soon, or of which nothing was told yet.
    scores : array or None
        The last that were decided on.
    """

    origin: int
    labels: list[HysteresisState]
    awake: set[int]
    scores: Array | None = None


@dataclass(frozen=True)
class HeadDecisions:
    """A `Hysteresis` for each label, after a warm-up.

    A head with one label tells at once how things stand; one with several tells only what sets in. Where
    labels exclude each other, at most one goes on: it stays until its own score falls, or until another that
    is the likeliest has lasted, which then takes its place.

    Parameters
    ----------
    deciders : tuple of Hysteresis
        In the order of the scores.
    exclusive : bool
    warm_up_samples : int
        So much must have been heard before anything is said.
    """

    deciders: tuple[Hysteresis, ...]
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
        above = (scores >= self._on).nonzero()[0].tolist()
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
    def _keep(n: int, label: HysteresisState, state: HeadState) -> None:
        state.labels[n] = label
        (state.awake.discard if label.at_rest else state.awake.add)(n)


def points_of(name: str, manifest: Manifest, config: DecisionConfig, prefer: str) -> tuple[Thresholds, ...]:
    """Thresholds of every label: what the configuration says, or else the model.

    Parameters
    ----------
    name : str
        The configuration's section.
    manifest : Manifest
    config : DecisionConfig
    prefer : str
        Which of the model's operating points is taken.

    Raises
    ------
    ModelError
        If the model has not that operating point.
    ConfigError
        If a threshold that is set does not go with the model's other one.
    """
    points = []
    for label, own in zip(manifest.labels, manifest.thresholds(prefer), strict=True):
        on = own.on if config.on is None else config.on
        off = own.off if config.off is None else config.off
        if off > on:
            owner = f"model {manifest.name}"
            raise ConfigError(
                f"thresholds of {name} are on = {on} (from {owner if config.on is None else 'the configuration'}), "
                f"off = {off} (from {owner if config.off is None else 'the configuration'}) for {label}; expected off "
                f"<= on: set both in [{name}], or neither"
            )
        points.append(Thresholds(on, off))
    return tuple(points)


def decisions_of(
    manifest: Manifest,
    points: tuple[Thresholds, ...],
    config: DecisionConfig,
    rate_hz: int,
    warm_up_samples: int,
) -> HeadDecisions:
    """The decisions of a model in samples at `rate_hz`.

    Parameters
    ----------
    manifest : Manifest
    points : tuple of Thresholds
        As of `points_of`.
    config : DecisionConfig
    rate_hz : int
    warm_up_samples : int
        What the models on the way need; a ``warm_up_ms`` that is set takes its place.
    """

    def samples(ms: float) -> int:
        return round(ms * rate_hz / 1_000)

    deciders = tuple(
        Hysteresis(
            label,
            point.on,
            point.off,
            min_on_samples=samples(config.min_on_ms),
            min_off_samples=samples(config.min_off_ms),
            update_samples=samples(config.update_ms),
        )
        for label, point in zip(manifest.labels, points, strict=True)
    )
    warm_up = warm_up_samples if config.warm_up_ms is None else samples(config.warm_up_ms)
    return HeadDecisions(deciders, manifest.exclusive, warm_up)
