"""Run all heads of a stream as a tree of stages: resampler, front end, ear, head. Stages with equal keys are shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from streamer.arrays import Array
from streamer.dsp.model_calls import Calls, run_alone, together
from streamer.dsp.ragged import Ragged, of_equal_length
from streamer.dsp.resample import Resample
from streamer.dsp.timeline import Timeline
from streamer.heads.gated_head import GatedHead, HeadRun
from streamer.heads.gating import GatedState, GateState
from streamer.heads.head import Head
from streamer.heads.loudness import Loudness, LoudnessState, PowerAt
from streamer.heads.results import HeadResult, Items, TreeResult, placed
from streamer.heads.stage_graph import StageGraph
from streamer.heads.stage_node import StageNode
from streamer.heads.stage_tree_state import OwnState, StageTreeState
from streamer.heads.tree_clock import TreeClock


class TreeStep(NamedTuple):
    """The results of a step of a tree.

    Attributes
    ----------
    results : list of list of TreeResult
        Results of each stream, in no particular order.
    faults : dict of int to Exception
        Errors of models, by the number of the stream in the step; the state of such a stream has no meaning any more.
    """

    results: list[list[TreeResult]]
    faults: dict[int, Exception]


class StageTree:
    """All heads of a stream, with the stages between its mono samples and their scores.

    Parameters and errors are those of `StageGraph`.
    """

    def __init__(self, heads: Sequence[Head], rate_hz: int, with_frames: bool) -> None:
        graph = StageGraph(heads, rate_hz, with_frames)
        self._loudness = Loudness(rate_hz)
        self._gate_names = graph.always
        self._nodes, self._gated = graph.nodes, graph.gated
        self._clock = TreeClock(
            [node.timeline for node in self._nodes],
            [n for n, node in enumerate(self._nodes) if node.heads],
            [(n, node.stage) for n, node in enumerate(self._nodes) if isinstance(node.stage, Resample)],
        )

    @property
    def deciding_timelines(self) -> list[Timeline]:
        """Timelines of the scores of the heads that run always."""
        return [node.timeline for node in self._nodes if node.heads]

    def init(self, streams: int = 1) -> StageTreeState:
        """Return the state of streams at the start of an epoch."""
        loudness = self._loudness.init(streams)
        return StageTreeState(
            loudness,
            self._clock.init(streams),
            [node.stage.init(streams) for node in self._nodes],
            {results: results.decisions.init(0, streams) for node in self._nodes for results in node.heads},
            {gated: gated.init(streams) for gated in self._gated},
            [self._own(row, loudness) for row in range(streams)],
        )

    def begin(self, row: int, state: StageTreeState) -> None:
        """Bring a row of a state to the start of an epoch."""
        fresh = self.init()
        fresh.own[0] = self._own(row, state.loudness)
        state.take_row(row, fresh)

    def grow(self, streams: int, state: StageTreeState) -> None:
        """Give a state more rows, at the start of an epoch, `streams` in all."""
        larger = self.init(streams)
        larger.own = [self._own(row, state.loudness) for row in range(streams)]
        state.take_all(larger)

    def _own(self, row: int, loudness: LoudnessState) -> OwnState:
        power_at = self._loudness.power_at(loudness, row)
        gated: dict[GatedHead, GatedState[HeadRun]] = {
            gated: GatedState(power_at=power_at) for gated in self._gated
        }
        return OwnState({name: GateState() for name in self._gate_names}, gated, {})

    def step(self, mono: Ragged, state: StageTreeState, rows: Array) -> Calls[TreeStep]:
        """Process samples of some streams, and return all results that they complete.

        Parameters
        ----------
        mono : Ragged, values float32 of shape (streams, samples)
            Samples at the captured rate, one channel; full scale is -1 to 1.
        state : StageTreeState
            State of the tree, which is updated.
        rows : int64 array, shape (streams,)
            Row in `state` of each stream, in increasing order.

        Returns
        -------
        generator
            Generator that yields model calls and returns a `TreeStep`.
        """
        found = TreeStep([[] for _ in range(len(rows))], {})
        self._loudness.step_rows(mono, state.clock.known_until, state.loudness, rows)
        yield from self._process(mono, None, state, rows, found)
        samples = mono.counts
        if found.faults:
            samples = samples.copy()
            samples[list(found.faults)] = 0  # of a stream that failed, nothing more is known
        self._clock.advance(samples, state.clock, rows)
        for row, results in zip(rows.tolist(), found.results, strict=True):
            self._find_switches(results, state.own[row])
        if self._gated:
            yield from self._advance(state, rows, found)
        return found

    def power_at(self, row: int, state: StageTreeState) -> PowerAt:
        """Return the function by which decisions find out whether the sound is above their floor (`floor_dbfs`).

        It knows the samples of a stream from 0.5 s before `known_until` to the newest one. The function reads the state
        whenever it is called, so it stays valid while `step` updates it.
        """
        return self._loudness.power_at(state.loudness, row)

    def passed(self, intervals: Array, samples: Array, state: StageTreeState, rows: Array) -> Array:
        """Return which intervals some streams complete by their next samples; see `TreeClock.passed`."""
        return self._clock.passed(intervals, samples, state.clock, rows)

    def wanted_samples(self, stops: Array, intervals: Array, state: StageTreeState, rows: Array) -> Array:
        """Return how many more samples complete the next result of some streams, or what is due besides.

        Parameters
        ----------
        stops : int64 array, shape (streams,)
            Earliest `stop` of what is due besides, samples of the epoch; overwritten.
        intervals : int64 array, shape (kinds, 3)
            Intervals at whose ends something is due, too; see `TreeClock.passed`.
        state : StageTreeState
        rows : int64 array, shape (streams,)
            Row in `state` of each stream.

        Returns
        -------
        int64 array, shape (streams,)
            At least 1.
        """
        if self._gated:
            for n, row in enumerate(rows.tolist()):
                for gated, own in state.own[row].gated.items():
                    if (stop := gated.next_stop(own)) is not None:
                        stops[n] = min(stops[n], stop)
        return self._clock.wanted_samples(stops, intervals, state.clock, rows)

    def finish(self, state: StageTreeState, row: int = 0) -> list[TreeResult]:
        """Return the results that the end of a stream's sound completes, in no particular order; update the state.

        Labels that are on stay on until `close`.

        Raises
        ------
        Exception
            If a model fails.
        """
        end, rows, own = int(state.clock.processed_samples[row]), np.array([row]), state.own[row]
        found = TreeStep([[]], {})
        run_alone(self._process(of_equal_length(np.zeros((1, 0), np.float32)), end, state, rows, found))
        if found.faults:
            raise found.faults[0]
        (results,) = found.results
        self._find_switches(results, own)
        for gated, gated_state in own.gated.items():
            results += gated.finish(own.switches[gated.opened_by], end, gated_state)
        return results

    def close(self, state: StageTreeState, row: int = 0) -> list[HeadResult]:
        """Return an ``off`` for all labels of a stream that are on; to be called after `finish`."""
        end = int(state.clock.processed_samples[row])
        results = [head.closing_result(end, own, row) for head, own in state.heads.items()]
        for gated, own_gated in state.own[row].gated.items():
            results += gated.close(end, own_gated)
        return sorted(results, key=lambda result: result.rank)

    def _process(
        self, x: Ragged, end: int | None, state: StageTreeState, rows: Array, found: TreeStep
    ) -> Calls[None]:
        """Step all stages that get items; an `end` says that the sound of the only stream ends at that sample."""
        # One loop, in which each node comes after its parent: of generators within generators, all would be resumed for
        # each call of a model.
        items_of: dict[StageNode | None, Ragged] = {None: x}
        given = state.clock.given
        for index, (node, own) in enumerate(zip(self._nodes, state.nodes, strict=True)):
            if (taken := items_of.get(node.parent)) is None:
                continue
            if node.runs_model:
                y = yield from node.stage.step_rows_calls(taken, own, rows)
                if y.faults:
                    found.faults.update(y.faults)
            else:
                y = node.stage.step_rows(taken, own, rows)
            if end is not None:
                rest = node.stage.flush(tuple(array[rows] for array in own))
                y = of_equal_length(np.concatenate([y.of(0), rest], axis=1))
            elif not y.most:
                continue
            items_of[node] = y
            if node.frames or node.heads:
                items = placed(y, given[rows, index], node.timeline, rows, end)
                self._add_results(node, items, state, found)
            given[rows, index] += y.counts
            for gated in node.gated:
                for n, (row, count) in enumerate(zip(rows.tolist(), y.counts.tolist(), strict=True)):
                    if count:
                        gated.add(y.values[n : n + 1, :count], state.own[row].gated[gated])

    def _add_results(self, node: StageNode, items: Items, state: StageTreeState, found: TreeStep) -> None:
        """Add what the items of a node are or say: frames, and the results of heads."""
        if node.frames:
            for results, frames in zip(found.results, node.frames.results(items), strict=True):
                results += frames
        if node.heads:
            powers = self._loudness.powers(items.spans[1], state.loudness, items.rows)
            for head in node.heads:
                said = head.results(items, powers, state.heads[head])
                for results, own in zip(found.results, said, strict=True):
                    results += own

    def _advance(self, state: StageTreeState, rows: Array, found: TreeStep) -> Calls[None]:
        """Let the gated heads of each stream process what is known."""
        known = state.clock.known_until[rows].tolist()
        for gated in self._gated:
            going_on: dict[int, Array] = {}
            works: dict[int, Calls[list[HeadResult]]] = {}
            for n, row in enumerate(rows.tolist()):
                own, switches = state.own[row].gated[gated], state.own[row].switches[gated.opened_by]
                if n in found.faults:
                    continue
                if not gated.stays(switches, own):
                    works[n] = gated.advance(switches, known[n], own)
                elif (items := gated.take(known[n], own)) is not None:
                    going_on[n] = items
            if going_on:
                yield from self._go_on(gated, going_on, state, rows, found)
            if works:
                for n, results in zip(works, (yield from together([*works.values()])), strict=True):
                    if isinstance(results, Exception):
                        found.faults[n] = results
                    else:
                        found.results[n] += results

    def _go_on(
        self,
        gated: GatedHead,
        items: Mapping[int, Array],
        state: StageTreeState,
        rows: Array,
        found: TreeStep,
    ) -> Calls[None]:
        """Let a gated head process the next items of streams whose gate is open, by the number of the stream."""
        places = [*items]
        own = rows[places]
        runs = [run for row in own.tolist() if (run := state.own[row].gated[gated].run)]

        def powers_at(stops: Array) -> Array:
            return self._loudness.powers(stops, state.loudness, own)

        results, faults = yield from gated.step_rows(
            [*items.values()], runs, state.gated[gated], own, powers_at
        )
        for n, said in zip(places, results, strict=True):
            found.results[n] += said
        for k, error in faults.items():
            found.faults[places[k]] = error

    @staticmethod
    def _find_switches(results: Sequence[TreeResult], own: OwnState) -> None:
        """Note the openings and closings of every gate, for gated heads and for the separation."""
        own.switches = {name: [] for name in own.gates}
        for result in results:
            if isinstance(result, HeadResult) and result.changes and result.head.name in own.gates:
                head = result.head
                opening = [change for change in result.changes if change.label not in head.own_kinds]
                own.switches[head.name] += own.gates[head.name].switches(opening)
