"""Turn the scores of all labels of a head into decisions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from streamer.head_slots import DecisionConfig, LabelThresholds
from streamer.heads.hysteresis import Change, Hysteresis, HysteresisState
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds

_BELOW_ALL = -1.0
"""Score below every threshold, an `off` of 0 too: of exclusive labels only the likeliest can begin."""


@dataclass
class HeadState:
    """State of a `HeadDecisions` between two steps.

    Attributes
    ----------
    origin : int
        Sample from which the warm-up counts.
    labels : list of HysteresisState
        State of each label.
    awake : set of int
        Numbers of the labels that are on, have a pending change, or were never reported.
    scores : array or None
        Scores of the last step; None before the first one.
    """

    origin: int
    labels: list[HysteresisState]
    awake: set[int]
    scores: Array | None = None


@dataclass(frozen=True)
class HeadDecisions:
    """Rules that make decisions of a head's scores: a `Hysteresis` for each label, after a warm-up.

    Of labels that tell their state, the first score is reported, as on or off; of others only that they begin. Of
    exclusive labels at most one is on. It ends when its own score falls, or when another label has been
    the likeliest for long enough and takes its place.

    Parameters
    ----------
    deciders : tuple of Hysteresis
        Hysteresis of each label, in the order of the scores.
    exclusive : bool
        Whether at most one label can go on.
    warm_up_samples : int
        Number of samples before the first decision.
    floor_power : float
        Mean square, where full scale is 1, of the loudest 0.1 s of the last second, below which scores count as 0;
        0 lets all count.
    tells_state : tuple of bool
        Whether the state of each label is reported at the start too, where it may be off.
    """

    deciders: tuple[Hysteresis, ...]
    exclusive: bool
    warm_up_samples: int
    floor_power: float
    tells_state: tuple[bool, ...]

    @cached_property
    def _on(self) -> Array:
        return np.array([decider.on for decider in self.deciders])

    def init(self, origin: int) -> HeadState:
        """Return the state of a head whose warm-up counts from sample `origin` on."""
        told = zip(self.deciders, self.tells_state, strict=True)
        labels = [decider.init(origin, None if tells else False) for decider, tells in told]
        return HeadState(origin, labels, {n for n, label in enumerate(labels) if not label.at_rest})

    def step(
        self, scores: Array, start: int, stop: int, state: HeadState, power: float = float("inf")
    ) -> list[Change] | None:
        """Return the changes that new scores lead to.

        Parameters
        ----------
        scores : array, shape (labels,)
            Probabilities, 0 to 1.
        start, stop : int
            First sample that is new in these scores, and one past the last.
        state : HeadState
            State of the head, which is updated.
        power : float
            Mean square of the loudest 0.1 s of the last second before `stop`, from a `streamer.heads.loudness.PowerAt`.
            Below the floor, all scores count as 0.

        Returns
        -------
        list of Change, or None
            Changes to be reported, possibly none; None during the warm-up.
        """
        if stop - state.origin <= self.warm_up_samples:
            return None
        if power < self.floor_power:
            scores = np.zeros_like(scores)
        state.scores = scores
        likeliest = int(scores.argmax()) if self.exclusive else None
        changes: list[Change] = []
        for n in self._labels_to_step(scores, likeliest, state):
            label = state.labels[n]
            counts = likeliest is None or n == likeliest or label.on
            score = float(scores[n]) if counts else _BELOW_ALL
            change, after = self.deciders[n].step(score, start, stop, label)
            if change and change.state == "on" and self.exclusive:
                changes += self._end_all(change.since, stop, state)
            changes += [change] if change else []
            self._keep(n, after, state)
        return changes

    def end(self, stop: int, state: HeadState) -> list[Change]:
        """Return an ``off`` at sample `stop` for each label that is on, since the sound or the gate ended there."""
        return self._end_all(stop, stop, state)

    def _labels_to_step(self, scores: Array, likeliest: int | None, state: HeadState) -> list[int]:
        """Return the labels that may report or change something: the likeliest first, for it may end another."""
        above = (scores >= self._on).nonzero()[0].tolist()
        if not above and not state.awake:
            return []
        return sorted(state.awake.union(above), key=lambda n: (n != likeliest, n))

    def _end_all(self, since: int, at: int, state: HeadState) -> list[Change]:
        changes = []
        for n in sorted(state.awake):
            if state.labels[n].on:
                assert state.scores is not None  # or it could not have gone on
                change, after = self.deciders[n].end(float(state.scores[n]), since, at, state.labels[n])
                changes += [change] if change else []
                self._keep(n, after, state)
        return changes

    @staticmethod
    def _keep(n: int, label: HysteresisState, state: HeadState) -> None:
        state.labels[n] = label
        (state.awake.discard if label.at_rest else state.awake.add)(n)


def thresholds_for(
    name: str, manifest: Manifest, config: DecisionConfig, prefer: str
) -> tuple[Thresholds, ...]:
    """Return the thresholds of every label: its own in the configuration, those for all there, or else the model's.

    Parameters
    ----------
    name : str
        The configuration's section.
    manifest : Manifest
    config : DecisionConfig
    prefer : str
        Name of the operating point.

    Raises
    ------
    ModelError
        If the model lacks that operating point.
    ConfigError
        If the configuration sets one threshold that contradicts the model's other one.
    """
    thresholds = []
    ids = manifest.label_ids or manifest.labels
    for label, label_id, own in zip(manifest.labels, ids, manifest.thresholds(prefer), strict=True):
        single = config.thresholds.get(label) or config.thresholds.get(label_id) or LabelThresholds()
        set_on = config.on if single.on is None else single.on
        set_off = config.off if single.off is None else single.off
        on = own.on if set_on is None else set_on
        off = own.off if set_off is None else set_off
        if off > on:
            owner = f"model {manifest.name}"
            raise ConfigError(
                f"thresholds of {name} are on = {on} (from {owner if set_on is None else 'the configuration'}), "
                f"off = {off} (from {owner if set_off is None else 'the configuration'}) for {label}; expected off "
                f"<= on: set both in [{name}], or neither"
            )
        thresholds.append(Thresholds(on, off))
    return tuple(thresholds)


def decisions_for(
    manifest: Manifest,
    thresholds: tuple[Thresholds, ...],
    config: DecisionConfig,
    rate_hz: int,
    warm_up_samples: int,
    tells_state: tuple[bool, ...],
) -> HeadDecisions:
    """Return the rules of a model's decisions, with times in samples at `rate_hz`.

    Parameters
    ----------
    manifest : Manifest
    thresholds : tuple of Thresholds
        Thresholds of every label, as `thresholds_for` returns them.
    config : DecisionConfig
    rate_hz : int
    warm_up_samples : int
        Warm-up of the models between sound and scores. If `config` sets ``warm_up_ms``, that is used instead.
    tells_state : tuple of bool
        Whether the state of each label is reported at the start too, where it may be off.
    """

    def samples(ms: float) -> int:
        return round(ms * rate_hz / 1_000)

    deciders = tuple(
        Hysteresis(
            label,
            own.on,
            own.off,
            min_on_samples=samples(config.min_on_ms),
            min_off_samples=samples(config.min_off_ms),
            update_samples=samples(config.update_ms),
        )
        for label, own in zip(manifest.labels, thresholds, strict=True)
    )
    warm_up = warm_up_samples if config.warm_up_ms is None else samples(config.warm_up_ms)
    return HeadDecisions(deciders, manifest.exclusive, warm_up, config.floor_power, tells_state)
