"""Turn the scores of all labels of a head into decisions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from streamer.arrays import Array
from streamer.dsp.ragged import Ragged
from streamer.errors import ConfigError
from streamer.head_slots import DecisionConfig, LabelThresholds
from streamer.heads.hysteresis import (
    NONE,
    OFF,
    ON,
    SINCE,
    STATE,
    STATES,
    UNKNOWN,
    Change,
    Hysteresis,
    decide,
    new_marks,
)
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds


class HeadState(NamedTuple):
    """State of a `HeadDecisions` between two steps, with a row for each stream.

    Attributes
    ----------
    origins : int64 array, shape (streams,)
        Sample from which the warm-up counts.
    marks : int64 array, shape (streams, labels, 4)
        State of each label; see `streamer.heads.hysteresis`.
    scores : float64 array, shape (streams, labels)
        Scores of the last step; 0 before the first one.
    """

    origins: Array
    marks: Array
    scores: Array


class Decided(NamedTuple):
    """The changes that scores lead to.

    Attributes
    ----------
    live : int64 array, shape (streams, steps)
        1 where a step comes after the warm-up, else 0.
    changes : list of tuple of int, int and Change
        Changes to be reported, in the order of streams and steps, each with the numbers of both.
    """

    live: Array
    changes: list[tuple[int, int, Change]]


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
    def _thresholds(self) -> Array:
        return np.array([(own.on, own.off) for own in self.deciders]).reshape(-1, 2)

    @cached_property
    def _holds(self) -> Array:
        return np.array(
            [(own.min_on_samples, own.min_off_samples, own.update_samples) for own in self.deciders], np.int64
        ).reshape(-1, 3)

    def init(self, origin: int = 0, streams: int = 1) -> HeadState:
        """Return the state of streams whose warm-up counts from sample `origin` on."""
        marks = new_marks(streams, len(self.deciders))
        marks[:, :, SINCE] = origin
        marks[:, self.tells_state, STATE] = UNKNOWN
        return HeadState(np.full(streams, origin), marks, np.zeros((streams, len(self.deciders))))

    def step_rows(
        self, scores: Ragged, spans: Array, powers: Array, state: HeadState, rows: Array
    ) -> Decided:
        """Return the changes that new scores of some streams lead to.

        Parameters
        ----------
        scores : Ragged, values of shape (streams, steps, labels)
            Probabilities, 0 to 1.
        spans : int64 array, shape (2, streams, steps)
            First sample that is new in the scores of a step, and one past the last.
        powers : float64 array, shape (streams, steps)
            Mean square of the loudest 0.1 s of the last second before the end of each step, from a
            `streamer.heads.loudness.PowerAt`. Below the floor, all scores count as 0.
        state : HeadState
            Updated.
        rows : int64 array, shape (streams,)
            Row in `state` of each stream.
        """
        steps, labels = len(rows) * scores.most, len(self.deciders)
        live, count = np.zeros(scores.values.shape[:2], np.int64), np.empty(1, np.int64)
        # Each label may change once in a step, and of exclusive labels each may be ended by another one.
        found = np.empty((steps * labels * (2 if self.exclusive else 1), 6), np.int64)
        found_scores = np.empty(len(found))
        decide(
            np.ascontiguousarray(scores.values, np.float32),
            scores.counts,
            spans,
            powers,
            rows,
            state.origins,
            state.marks,
            state.scores,
            self._thresholds,
            self._holds,
            self.warm_up_samples,
            self.floor_power,
            int(self.exclusive),
            live,
            found,
            found_scores,
            count,
        )
        made = int(count[0])
        changes = [
            (n, s, Change(self.deciders[label].label, STATES[code], since, at, score))
            for (n, s, label, code, since, at), score in zip(
                found[:made].tolist(), found_scores[:made].tolist(), strict=True
            )
        ]
        return Decided(live, changes)

    def end(self, stop: int, state: HeadState, row: int = 0) -> list[Change]:
        """Return an ``off`` at sample `stop` for each label that is on, since the sound or the gate ended there."""
        changes = []
        for n in np.flatnonzero(state.marks[row, :, STATE] == ON).tolist():
            state.marks[row, n] = (OFF, stop, NONE, stop)
            changes.append(Change(self.deciders[n].label, "off", stop, stop, float(state.scores[row, n])))
        return changes


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
