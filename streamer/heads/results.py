"""Results of a stream's tree of stages: frames of a front end, and scores and changes of a head.

Every step of every stream makes some. So they are named tuples, which are made in a third of the time of a frozen
dataclass.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.ragged import Ragged
from streamer.dsp.timeline import Timeline
from streamer.heads.head import Head
from streamer.heads.head_decisions import HeadDecisions, HeadState
from streamer.heads.hysteresis import Change


class MelFrame(NamedTuple):
    """A log-mel frame.

    Attributes
    ----------
    start, stop : int
        First sample that is new in the frame, and one past the last sample that it depends on. Both are counted from
        the start of the epoch.
    rank : int
        Place of the frame among results with the same `stop`.
    config : LogMelConfig
        Front end that computed the frame.
    values : float32 array, shape (mel_bands,)
        Natural logarithm of each mel band, as `config` says.
    """

    start: int
    stop: int
    rank: int
    config: LogMelConfig
    values: Array


class HeadResult(NamedTuple):
    """Scores of a head at one moment, the decisions that follow from them, or both.

    Attributes
    ----------
    start, stop, rank : int
        As in `MelFrame`.
    head : Head
        Head that gave the scores.
    scores : array, shape (labels,), or None
        Probability of each label, 0 to 1; None while the head warms up, and when it stops.
    changes : tuple of Change
        Decisions to be reported, mostly none.
    """

    start: int
    stop: int
    rank: int
    head: Head
    scores: Array | None
    changes: tuple[Change, ...]


TreeResult: TypeAlias = MelFrame | HeadResult


class Items(NamedTuple):
    """Items that a stage gave out for some streams.

    Attributes
    ----------
    items : Ragged
        Items of each stream in order.
    spans : int64 array, shape (2, streams, items)
        First sample that is new in an item, and one past the last.
    rows : int64 array, shape (streams,)
        Row of each stream in the states.
    """

    items: Ragged
    spans: Array
    rows: Array


def placed(items: Ragged, given: Array, timeline: Timeline, rows: Array, end: int | None = None) -> Items:
    """Return items with their places on the sample clock.

    Parameters
    ----------
    items : Ragged
    given : int64 array, shape (streams,)
        Number of items that the stage gave out for each stream before.
    timeline : Timeline
        Positions of the items.
    rows : int64 array, shape (streams,)
        Row of each stream in the states.
    end : int or None
        Sample at which the sound ended; None if it goes on. No item is placed after it, although the last resampled
        sample may lie up to half a sample later.
    """
    spans = timeline.spans(given, items.values.shape[1])
    if end is not None:
        spans[1] = np.minimum(spans[1], end)
    return Items(items, spans, rows)


@dataclass(frozen=True, eq=False)
class FrameResults:
    """Makes a `MelFrame` of each frame of a front end.

    Parameters
    ----------
    rank : int
        Place of these results among others with the same `stop`.
    config : LogMelConfig
        Front end that computes the frames.
    """

    rank: int
    config: LogMelConfig

    def results(self, frames: Items) -> list[list[MelFrame]]:
        """Return for each stream a `MelFrame` for each item, which is a frame."""
        starts, stops = frames.spans.tolist()
        return [
            [
                MelFrame(starts[n][k], stops[n][k], self.rank, self.config, values)
                for k, values in enumerate(frames.items.of(n)[0])
            ]
            for n in range(len(frames.rows))
        ]


@dataclass(frozen=True, eq=False)
class HeadResults:
    """Makes `HeadResult`s of the scores of a head.

    Parameters
    ----------
    rank : int
        Place of these results among others with the same `stop`.
    head : Head
        Head whose scores they are.
    decisions : HeadDecisions
        Rules that make decisions of the scores.
    """

    rank: int
    head: Head
    decisions: HeadDecisions

    def results(self, scores: Items, powers: Array, state: HeadState) -> list[list[HeadResult]]:
        """Return for each stream a result for each item of scores after the warm-up, none for the others.

        Parameters
        ----------
        scores : Items
            Scores, values of shape (streams, items, labels).
        powers : float64 array, shape (streams, items)
            Power of the sound at each item, for the floor of decisions; see `PowerAt`.
        state : HeadState
            State of the decisions, which is updated.
        """
        items, spans, rows = scores
        live, changes = self.decisions.step_rows(items, spans, powers, state, rows)
        changed: defaultdict[tuple[int, int], list[Change]] = defaultdict(list)
        for n, k, change in changes:
            changed[n, k].append(change)
        starts, stops = spans.tolist()
        return [
            [
                HeadResult(
                    starts[n][k],
                    stops[n][k],
                    self.rank,
                    self.head,
                    items.values[n, k],
                    tuple(changed[n, k]) if changes else (),
                )
                for k, counts in enumerate(steps)
                if counts
            ]
            for n, steps in enumerate(live.tolist())
        ]

    def closing_result(self, stop: int, state: HeadState, row: int = 0) -> HeadResult:
        """Return a result with an ``off`` at sample `stop` for each label of a stream that is on; update `state`."""
        return self.result(stop, stop, None, self.decisions.end(stop, state, row))

    def result(self, start: int, stop: int, scores: Array | None, changes: list[Change]) -> HeadResult:
        """Return a `HeadResult` of this head with these values."""
        return HeadResult(start, stop, self.rank, self.head, scores, tuple(changes))
