"""Results of a stream's tree of stages: frames of a front end, and scores and changes of a head.

Every step of every stream makes some. So they are named tuples, which are made in a third of the time of a frozen
dataclass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.timeline import Timeline
from streamer.heads.head import Head
from streamer.heads.head_decisions import HeadDecisions, HeadState
from streamer.heads.hysteresis import Change
from streamer.heads.loudness import PowerAt


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


@dataclass
class Items:
    """Items that a stage gave out.

    Attributes
    ----------
    values : array, shape (items, ...)
        Items in order.
    first : int
        Index of the first item in `values` among all items of the stage.
    timeline : Timeline
        Positions of the items on the sample clock.
    end : int or None
        Sample at which the sound ended; None if it goes on. No item is placed after it, although the last resampled
        sample may lie up to half a sample later.
    """

    values: Array
    first: int
    timeline: Timeline
    end: int | None

    def __iter__(self) -> Iterator[tuple[int, int, Array]]:
        """Yield (start, stop, values) of each item; start and stop are sample indices."""
        for k, values in enumerate(self.values, self.first):
            start, stop = self.timeline.span(k)
            yield start, stop if self.end is None else min(stop, self.end), values


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

    def results(self, items: Items) -> list[MelFrame]:
        """Return a `MelFrame` for each item, which is a frame."""
        return [MelFrame(start, stop, self.rank, self.config, values) for start, stop, values in items]


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

    def results(self, items: Items, state: HeadState, power_at: PowerAt) -> list[HeadResult]:
        """Return a result for each item of scores after the warm-up, none for the others.

        Parameters
        ----------
        items : Items
            Scores, shape (items, labels).
        state : HeadState
            State of the decisions, which is updated.
        power_at : callable
            Tells the power of the sound before a sample, for the floor of decisions: see `PowerAt`.
        """
        results = []
        for start, stop, scores in items:
            changes = self.decisions.step(scores, start, stop, state, power_at(stop))
            if changes is not None:
                results.append(self.result(start, stop, scores, changes))
        return results

    def closing_result(self, stop: int, state: HeadState) -> HeadResult:
        """Return a result with an ``off`` at sample `stop` for each label that is on; `state` is updated."""
        return self.result(stop, stop, None, self.decisions.end(stop, state))

    def result(self, start: int, stop: int, scores: Array | None, changes: list[Change]) -> HeadResult:
        """Return a `HeadResult` of this head with these values."""
        return HeadResult(start, stop, self.rank, self.head, scores, tuple(changes))
