"""Run a head, and the stages that only it needs, while its gate is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.ragged import ONE_ROW, joined, of_equal_length
from streamer.dsp.stage import Stage
from streamer.dsp.timeline import Timeline
from streamer.heads.gating import Gated, GatedState, Switch
from streamer.heads.head_decisions import HeadState
from streamer.heads.hysteresis import Change
from streamer.heads.loudness import PowerAt
from streamer.heads.results import HeadResult, HeadResults, Items, placed

PowersAt: TypeAlias = Callable[[Array], Array]
"""``powers_at(stops)`` does for several streams, with a row each in `stops`, what a `PowerAt` does for one."""

DECISION_ARRAYS = len(HeadState._fields)
"""Number of arrays at the end of a gated head's state that are those of its decisions."""


@dataclass
class HeadRun:
    """State of a gated head while its gate is open.

    Attributes
    ----------
    state : State
        State of the stage that the head runs: the row of the stream in those of all streams.
    decisions : HeadState
        State of the head's decisions: the row of the stream, too.
    given : int
        Number of the output item that comes next, counted from the start of the sound.
    """

    state: State
    decisions: HeadState
    given: int


class GatedHead(Gated[HeadRun, HeadResult]):
    """Runs a stage and decides on its scores, beginning with a pre-roll for which it reports nothing.

    The pre-roll begins at an item at which a step begins if steps are counted from the start of the sound. For this it
    is lengthened by less than a step. So the steps of this head fall together with those of other models whose steps
    are as long, and the engine wakes once for both.

    Parameters
    ----------
    results : HeadResults
        Maker of the head's results. The head must have a gate.
    stage : Stage
        Stage from the parent's items to scores.
    parent : Timeline
        Positions of the parent's items, which the stage takes.
    pre_roll_items : int
        Number of items in the pre-roll, 0 or more.
    settled_samples : int
        Number of samples from the start of the sound after which the parent's items are meaningful.
    """

    def __init__(
        self, results: HeadResults, stage: Stage, parent: Timeline, pre_roll_items: int, settled_samples: int
    ) -> None:
        assert results.head.opened_by is not None  # otherwise it would run always
        self._hop_items = int(stage.hop)
        super().__init__(parent, history_items=pre_roll_items + self._hop_items - 1)
        self.opened_by = results.head.opened_by
        self.results = results
        self._stage = stage
        self._pre_roll_items = pre_roll_items
        self._settled_samples = settled_samples
        # A run begins where a step begins: of all runs the scores lie on one timeline.
        self._scores = parent.after(stage)

    def init(self, streams: int) -> State:
        """Return the arrays of a state while the gate is open: first those of the stage, then those of decisions."""
        return *self._stage.init(streams), *self.results.decisions.init(0, streams)

    def bind(self, row: int, state: State, gated: GatedState[HeadRun]) -> None:
        """Give a stream its row of arrays that `init` made; a run that goes on has its state there already."""
        gated.place = tuple(array[row : row + 1] for array in state)
        if gated.run:
            gated.run.state, gated.run.decisions = _parts(gated.place)

    def step_rows(
        self, items: Sequence[Array], runs: Sequence[HeadRun], state: State, rows: Array, powers_at: PowersAt
    ) -> Calls[tuple[list[list[HeadResult]], Mapping[int, Exception]]]:
        """Process the next items of streams whose gate is open and stays so.

        Parameters
        ----------
        items : sequence of array, shape (1, items, ...)
            Next items of each stream, at least one.
        runs : sequence of HeadRun
            What goes on in each stream; updated.
        state : State
            State of all streams.
        rows : int64 array, shape (streams,)
            Row in `state` of each stream, in increasing order.
        powers_at : callable
            Returns the powers at samples of these streams, shape (streams, steps), as a `PowerAt` does for one.

        Returns
        -------
        generator
            Yields model calls; returns the results of each stream, and the errors of models by number of the stream.
        """
        chain, decisions = _parts(state)
        y = yield from self._stage.step_rows_calls(joined([piece[0] for piece in items]), chain, rows)
        spans = self._scores.spans(np.array([run.given for run in runs]), y.most)
        for run, count in zip(runs, y.counts.tolist(), strict=True):
            run.given += count
        return self.results.results(Items(y, spans, rows), powers_at(spans[1]), decisions), y.faults

    def next_stop(self, state: GatedState[HeadRun]) -> int | None:
        """Return the `stop` of the head's next result, a sample index; None while the gate is closed."""
        return self._scores.stop(state.run.given) if state.run else None

    def _pre_roll_start(self, opening: int) -> int:
        first = max(0, opening - self._pre_roll_items)
        return first - first % self._hop_items

    def _open(
        self, pre_roll: Array | None, first: int, switch: Switch, place: State
    ) -> Calls[tuple[HeadRun, list[HeadResult]]]:
        origin = max(self._timeline.span(first)[0], switch.since, self._settled_samples)
        for array, value in zip(
            place, (*self._stage.init(), *self.results.decisions.init(origin)), strict=True
        ):
            array[...] = value
        chain, decisions = _parts(place)
        run = HeadRun(chain, decisions, first // self._hop_items)
        if pre_roll is not None:
            y = yield from self._scored(pre_roll, run)
            run.given += y.shape[1]
        listening = Change("", "listening", min(origin, switch.at), switch.at, 0.0)
        return run, [self.results.result(switch.at, switch.at, None, [listening])]

    def _scored(self, items: Array, run: HeadRun) -> Calls[Array]:
        """Return the scores of items, shape (1, steps, labels)."""
        y, after = yield from self._stage.step_calls(items, run.state)
        for array, value in zip(run.state, after, strict=True):
            if value is not array:
                array[...] = value
        return y

    def _process(self, items: Array, run: HeadRun, power_at: PowerAt) -> Calls[list[HeadResult]]:
        y = yield from self._scored(items, run)
        return self._results(y, None, run, power_at)

    def _close(
        self,
        at: int,
        run: HeadRun,
        power_at: PowerAt,  # noqa: ARG002 - what ends needs no floor
    ) -> list[HeadResult]:
        closing = self.results.closing_result(at, run.decisions)
        stopped = Change("", "off", at, at, 0.0)
        return [self.results.result(at, at, None, [*closing.changes, stopped])]

    def _finish(self, items: Array | None, end: int, run: HeadRun, power_at: PowerAt) -> list[HeadResult]:
        results = []
        if items is not None:
            results += self._results(run_alone(self._scored(items, run)), end, run, power_at)
        return results + self._results(self._stage.flush(run.state), end, run, power_at)

    def _results(self, y: Array, end: int | None, run: HeadRun, power_at: PowerAt) -> list[HeadResult]:
        items = placed(of_equal_length(y), np.array([run.given]), self._scores, ONE_ROW, end)
        run.given += y.shape[1]
        (results,) = self.results.results(items, power_at(items.spans[1]), run.decisions)
        return results


def _parts(state: State) -> tuple[State, HeadState]:
    """Return the state of the stage and that of the decisions."""
    return state[:-DECISION_ARRAYS], HeadState(*state[-DECISION_ARRAYS:])
