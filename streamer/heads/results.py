"""Where items leave the tree of stages: as frames, or as what a head says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.timeline import Timeline
from streamer.heads.head import Head
from streamer.heads.head_decisions import HeadDecisions, HeadState
from streamer.heads.hysteresis import Change


@dataclass(frozen=True)
class MelFrame:
    """A log-mel frame.

    Attributes
    ----------
    start, stop : int
        Samples since the epoch began that are new in it; `stop` is the last that it knows of, plus one.
    rank : int
        Its place among what has the same `stop`.
    config : LogMelConfig
    values : array, shape (mel_bands,)
    """

    start: int
    stop: int
    rank: int
    config: LogMelConfig
    values: Array


@dataclass(frozen=True)
class HeadResult:
    """What a head says once.

    Attributes
    ----------
    start, stop, rank : int
        As a `MelFrame` has them.
    head : Head
    scores : array or None
        Probability of each label; None where the head has heard too little, or hears no more.
    changes : tuple of Change
    """

    start: int
    stop: int
    rank: int
    head: Head
    scores: Array | None
    changes: tuple[Change, ...]


TreeResult: TypeAlias = MelFrame | HeadResult


@dataclass(frozen=True)
class Items:
    """Items that a stage gave out together.

    Attributes
    ----------
    values : array, shape (items, ...)
    first : int
        Which item of the stage the first one is.
    placement : Timeline
    end : int or None
        Where the sound ended, if it has: the last resampled sample may lie up to half of one after it.
    """

    values: Array
    first: int
    placement: Timeline
    end: int | None

    def __iter__(self) -> Iterator[tuple[int, int, Array]]:
        """Start, stop and values of each."""
        for k, values in enumerate(self.values, self.first):
            start, stop = self.placement.span(k)
            yield start, stop if self.end is None else min(stop, self.end), values


@dataclass(frozen=True, eq=False)
class FrameResults:
    """Gives out the frames of a front end.

    Parameters
    ----------
    rank : int
    config : LogMelConfig
    """

    rank: int
    config: LogMelConfig

    def told(self, items: Items) -> list[MelFrame]:
        """The frames, one by one."""
        return [MelFrame(start, stop, self.rank, self.config, values) for start, stop, values in items]


@dataclass(frozen=True, eq=False)
class HeadResults:
    """Gives out what a head says.

    Parameters
    ----------
    rank : int
    head : Head
    decisions : HeadDecisions
    """

    rank: int
    head: Head
    decisions: HeadDecisions

    def told(self, items: Items, state: HeadState) -> list[HeadResult]:
        """What the head says to its scores, once it has heard enough; `state` is updated."""
        told = []
        for start, stop, scores in items:
            changes = self.decisions.step(scores, start, stop, state)
            if changes is not None:
                told.append(self.said(start, stop, scores, changes))
        return told

    def ended(self, stop: int, state: HeadState) -> HeadResult:
        """What the head says when it hears no more from `stop` on; `state` is updated."""
        return self.said(stop, stop, None, self.decisions.end(stop, state))

    def said(self, start: int, stop: int, scores: Array | None, changes: list[Change]) -> HeadResult:
        """Something that this head says."""
        return HeadResult(start, stop, self.rank, self.head, scores, tuple(changes))
