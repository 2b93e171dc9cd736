"""The state of a tree of stages, with a row for each stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array, State
from streamer.heads.gated_head import GatedHead, HeadRun
from streamer.heads.gating import GatedState, GateState, Switch
from streamer.heads.head_decisions import HeadState
from streamer.heads.loudness import LoudnessState
from streamer.heads.results import HeadResults
from streamer.heads.tree_clock import ClockState


@dataclass
class OwnState:
    """The part of the state of one stream that is no array.

    Attributes
    ----------
    gates : dict
        Labels that are on, for each head that runs always, by the head's name. Any of these heads may be a gate.
    gated : dict
        State of each gated head.
    switches : dict
        Openings and closings in the last step of each head that may be a gate, by the head's name.
    """

    gates: dict[str, GateState]
    gated: dict[GatedHead, GatedState[HeadRun]]
    switches: dict[str, list[Switch]]


@dataclass
class StageTreeState:
    """State of a `StageTree`, with a row for each stream.

    Attributes
    ----------
    loudness : LoudnessState
        Powers of the last second of sound: scores count only if it was above the head's floor.
    clock : ClockState
        What is processed and known of each stream.
    nodes : list of State
        State of each stage of the tree.
    heads : dict
        State of the decisions of each head that runs always.
    gated : dict
        State of each gated head while its gate is open.
    own : list of OwnState
        The rest, for each stream.
    """

    loudness: LoudnessState
    clock: ClockState
    nodes: list[State]
    heads: dict[HeadResults, HeadState]
    gated: dict[GatedHead, State]
    own: list[OwnState]

    def __post_init__(self) -> None:
        self._bind(range(self.streams))

    @property
    def streams(self) -> int:
        """Number of rows."""
        return len(self.own)

    def take_row(self, row: int, fresh: StageTreeState) -> None:
        """Replace a row by the only row of another state, which is not used any more."""
        for array, value in zip(self._arrays(), fresh._arrays(), strict=True):
            array[row] = value[0]
        self.own[row] = fresh.own[0]
        self._bind([row])

    def take_all(self, larger: StageTreeState) -> None:
        """Become a state with more rows; the present rows stay as they are."""
        for array, value in zip(larger._arrays(), self._arrays(), strict=True):
            array[: len(value)] = value
        loudest = np.zeros((larger.streams, self.loudness.loudest.shape[1]))
        loudest[: self.streams] = self.loudness.loudest
        # The object stays: streams ask it for their powers.
        self.loudness.powers, self.loudness.counts = larger.loudness.powers, larger.loudness.counts
        self.loudness.loudest = loudest
        self.clock, self.nodes, self.heads = larger.clock, larger.nodes, larger.heads
        self.gated = larger.gated
        self.own += larger.own[self.streams :]
        self._bind(range(self.streams))

    def _bind(self, rows: Iterable[int]) -> None:
        """Give the gated heads of streams their rows."""
        for row in rows:
            for gated, own in self.own[row].gated.items():
                gated.bind(row, self.gated[gated], own)

    def _arrays(self) -> Iterator[Array]:
        """Yield all arrays whose rows may be copied, in an order that is always the same."""
        yield from (self.loudness.powers, self.loudness.counts)
        yield from (self.clock.given, self.clock.processed_samples, self.clock.known_until)
        for state in (*self.nodes, *self.heads.values(), *self.gated.values()):
            yield from state
