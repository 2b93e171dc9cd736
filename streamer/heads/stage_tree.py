"""Run all heads of a stream as a tree of stages: resampler, front end, ear, head. Stages with equal keys are shared."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain
from streamer.dsp.timeline import Timeline
from streamer.heads.gated_head import GatedHead, HeadRun
from streamer.heads.gating import GatedState, GateState, Switch
from streamer.heads.head import Head
from streamer.heads.head_decisions import HeadState
from streamer.heads.loudness import Loudness, LoudnessState, PowerAt
from streamer.heads.results import FrameResults, HeadResult, HeadResults, Items, TreeResult
from streamer.heads.stage_node import NodeState, StageNode, warm_up_samples


@dataclass
class StageTreeState:
    """State of a `StageTree`.

    Attributes
    ----------
    loudness : LoudnessState
        Powers of the last second of sound: scores count only if it was above the head's floor.
    nodes : dict
        State of each stage of the tree.
    heads : dict
        State of the decisions of each head that runs always.
    gates : dict
        Labels that are on, for each head that runs always, by the head's name. Any of these heads may be a gate.
    gated : dict
        State of each gated head.
    switches : dict
        Openings and closings in the last step of each head that may be a gate, by the head's name.
    processed_samples : int
        Number of captured samples that were processed.
    known_until : int
        Sample of the epoch, at the captured rate, up to which all results have been computed: later results have a
        greater `stop`.
    """

    loudness: LoudnessState
    nodes: dict[StageNode, NodeState]
    heads: dict[HeadResults, HeadState]
    gates: dict[str, GateState]
    gated: dict[GatedHead, GatedState[HeadRun]]
    switches: dict[str, list[Switch]] = field(default_factory=dict)
    processed_samples: int = 0
    known_until: int = 0


class StageTree:
    """All heads of a stream, with the stages between its mono samples and their scores.

    Parameters
    ----------
    heads : sequence of Head
        Heads to run, those that run always and gated ones, in any order.
    rate_hz : int
        Sample rate of the captured sound.
    with_frames : bool
        Whether log-mel frames are results too, besides those of the heads.

    Raises
    ------
    ValueError
        If a head has a gate that is not among the heads, or is gated itself.
    """

    def __init__(self, heads: Sequence[Head], rate_hz: int, with_frames: bool) -> None:
        self._rate_hz = rate_hz
        self._loudness = Loudness(rate_hz)
        self._resamplers: dict[Hashable, StageNode] = {}
        self._resampling: list[Resample] = []
        always = [head.name for head in heads if head.opened_by is None]
        for head in heads:
            if head.opened_by not in [None, *always]:
                raise ValueError(
                    f"{head.name} is opened by {head.opened_by!r}; expected a head that runs always: {always}"
                )
        # Gated heads come last: stages that heads share which run always are not gated.
        for rank, head in sorted(enumerate(heads), key=lambda ranked: ranked[1].opened_by is not None):
            if head.opened_by is None:
                self._add(rank, head)
            else:
                self._add_gated(rank, head)
        self._gate_names = always
        self._nodes = [node for resampler in self._resamplers.values() for node in resampler.subtree()]
        self._deciding = [node for node in self._nodes if node.heads]
        self._gated = sorted(
            (gated for node in self._nodes for gated in node.gated), key=lambda gated: gated.results.rank
        )
        for rank, node in enumerate(self._nodes, len(heads)):
            if with_frames and isinstance(node.stage, LogMel):
                node.frames = FrameResults(rank, node.stage.config)

    def init(self) -> StageTreeState:
        """Return the state at the start of an epoch."""
        loudness = self._loudness.init()
        return StageTreeState(
            loudness,
            {node: NodeState(node.stage.init()) for node in self._nodes},
            {results: results.decisions.init(0) for node in self._nodes for results in node.heads},
            {name: GateState() for name in self._gate_names},
            {
                gated: GatedState(power_at=partial(self._loudness.power_at, state=loudness))
                for gated in self._gated
            },
        )

    def step(self, mono: Array, state: StageTreeState) -> Calls[list[TreeResult]]:
        """Process samples, and return all results that they complete, in no particular order.

        Parameters
        ----------
        mono : float32 array, shape (samples,)
            Samples at the captured rate, one channel; full scale is -1 to 1.
        state : StageTreeState
            State of the tree, which is updated.

        Returns
        -------
        generator
            Generator that yields model calls and returns a list of TreeResult.
        """
        results: list[TreeResult] = []
        self._loudness.step(mono, state.known_until, state.loudness)
        yield from self._process(mono[None], None, state, results)
        state.processed_samples += len(mono)
        self._find_switches(results, state)
        given = [node.timeline.reached(state.nodes[node].given) for node in self._resamplers.values()]
        state.known_until = min([state.processed_samples, *given])
        for gated in self._gated:
            switches = state.switches[gated.opened_by]
            results += yield from gated.advance(switches, state.known_until, state.gated[gated])
        return results

    def next_stop(self, state: StageTreeState) -> int | None:
        """Return the `stop` of the next result of any head, a sample of the epoch; None if no head runs."""
        stops = [node.timeline.span(state.nodes[node].given)[1] for node in self._deciding]
        opened = [gated.next_stop(own) for gated, own in state.gated.items()]
        return min([*stops, *(stop for stop in opened if stop is not None)], default=None)

    def known_after(self, stop: int) -> int:
        """Return the number of samples, counted from the start of the epoch, at which `known_until` reaches `stop`."""
        return max([stop, *[stage.taken_for(stop) for stage in self._resampling]])

    def power_at(self, state: StageTreeState) -> PowerAt:
        """Return the function by which decisions find out whether the sound is above their floor (`floor_dbfs`).

        Parameters
        ----------
        state : StageTreeState
            State of the tree. The function reads it whenever it is called, so it stays valid while `step` updates it.

        Returns
        -------
        callable
            ``power_at(stop)`` returns the mean square, where full scale is 1, of the loudest 0.1 s within the last
            second before `stop`, a sample of the epoch at the captured rate. It knows samples from 0.5 s before
            `known_until` to the newest one; see `streamer.heads.loudness.PowerAt`.
        """
        return partial(self._loudness.power_at, state=state.loudness)

    def finish(self, state: StageTreeState) -> list[TreeResult]:
        """Return the results that the end of the sound completes, in no particular order; update the state.

        Labels that are on stay on until `close`.
        """
        end = state.processed_samples
        results: list[TreeResult] = []
        run_alone(self._process(np.zeros((1, 0), np.float32), end, state, results))
        self._find_switches(results, state)
        for gated in self._gated:
            results += gated.finish(state.switches[gated.opened_by], end, state.gated[gated])
        return results

    def close(self, state: StageTreeState) -> list[HeadResult]:
        """Return an ``off`` for all labels that are on; to be called after `finish`. The state is not used any more."""
        end = state.processed_samples
        results = [head.closing_result(end, own) for head, own in state.heads.items()]
        for gated, own_gated in state.gated.items():
            results += gated.close(end, own_gated)
        return sorted(results, key=lambda result: result.rank)

    def _add(self, rank: int, head: Head) -> None:
        """Add a head that runs always, and the stages on its path that are not there yet."""
        node = self._resampler(head)
        for stage in head.path:
            node = node.child(stage)
        node.heads.append(
            HeadResults(rank, head, head.decisions_at(self._rate_hz, round(node.settled_samples)))
        )

    def _add_gated(self, rank: int, head: Head) -> None:
        """Add a gated head. The stages on its path that run anyway are shared; the others are gated with it."""
        node, path = self._resampler(head), head.path
        while len(path) > 1 and path[0].key in node.children:
            node, path = node.children[path[0].key], path[1:]
        warm_up = round(warm_up_samples(path, node.timeline))
        gated = GatedHead(
            HeadResults(rank, head, head.decisions_at(self._rate_hz, warm_up)),
            Chain(*path),
            node.timeline,
            pre_roll_items=round(head.pre_roll_s * self._rate_hz / node.timeline.hop_samples),
            settled_samples=round(node.settled_samples),
        )
        node.gated.append(gated)

    def _resampler(self, head: Head) -> StageNode:
        stage = Resample(self._rate_hz, head.model.manifest.log_mel.sample_rate_hz)
        if stage.key not in self._resamplers:
            self._resampling.append(stage)
            self._resamplers[stage.key] = StageNode(stage, Timeline().after(stage), Fraction(0))
        return self._resamplers[stage.key]

    def _process(
        self, x: Array, end: int | None, state: StageTreeState, results: list[TreeResult]
    ) -> Calls[None]:
        """Step all stages that get items; an `end` says that the sound ends after samples `x`, at that sample."""
        # One loop, in which each node comes after its parent: of generators within generators, all would be resumed for
        # each call of a model.
        items_of: dict[StageNode | None, Array] = {None: x}
        for node, own in state.nodes.items():
            if (taken := items_of.get(node.parent)) is None:
                continue
            if node.runs_model:
                y, own.state = yield from node.stage.step_calls(taken, own.state)
            else:
                y, own.state = node.stage.step(taken, own.state)
            if end is not None:
                y = np.concatenate([y, node.stage.flush(own.state)], axis=1)
            elif not y.shape[1]:
                continue
            items_of[node] = y
            if node.frames or node.heads:
                results += self._results(node, Items(y[0], own.given, node.timeline, end), state)
            own.given += y.shape[1]
            for gated in node.gated:
                gated.add(y, state.gated[gated])

    def _results(self, node: StageNode, items: Items, state: StageTreeState) -> list[TreeResult]:
        """Return what the items of a node are or say: frames, and the results of heads."""
        power_at = self.power_at(state)
        results: list[TreeResult] = [*node.frames.results(items)] if node.frames else []
        for head in node.heads:
            results += head.results(items, state.heads[head], power_at)
        return results

    @staticmethod
    def _find_switches(results: Sequence[TreeResult], state: StageTreeState) -> None:
        """Note the openings and closings of every gate, for gated heads and for the separation."""
        state.switches = {name: [] for name in state.gates}
        for result in results:
            if isinstance(result, HeadResult) and result.changes and result.head.name in state.gates:
                head = result.head
                opening = [change for change in result.changes if change.label not in head.own_kinds]
                state.switches[head.name] += state.gates[head.name].switches(opening)
