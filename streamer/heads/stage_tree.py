"""All heads of one stream as a tree of stages: resampler, front end, ear, head; equal stages are shared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.log_mel import LogMel
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain, Stage
from streamer.dsp.timeline import Timeline
from streamer.heads.gated import GatedHead, GatedHeadState, GateState
from streamer.heads.head import Head
from streamer.heads.head_decisions import HeadState
from streamer.heads.results import FrameResults, HeadResult, HeadResults, Items, TreeResult
from streamer.inference.model import Model


class _Node:
    """A stage, where its items lie, and who hears them.

    Parameters
    ----------
    stage : Stage
    placement : Timeline
        Of its items.
    settled_samples : Fraction
        Sound that its items must have heard before they mean anything.
    """

    def __init__(self, stage: Stage, placement: Timeline, settled_samples: Fraction) -> None:
        self.stage = stage
        self.placement = placement
        self.settled_samples = settled_samples
        self.children: dict[Stage, _Node] = {}
        self.frames: FrameResults | None = None
        self.heads: list[HeadResults] = []
        self.gated: list[GatedHead] = []

    def child(self, stage: Stage) -> _Node:
        """The node of a stage that hears this one, made for the first that asks for it."""
        if stage not in self.children:
            settled = self.settled_samples + _warm_up_samples([stage], self.placement)
            self.children[stage] = _Node(stage, self.placement.after(stage), settled)
        return self.children[stage]

    def below(self) -> Iterator[_Node]:
        """The node itself and all that hear it."""
        yield self
        for child in self.children.values():
            yield from child.below()


@dataclass
class _NodeState:
    """A stage's state and how many items it has given out."""

    state: State
    given: int = 0


@dataclass
class StageTreeState:
    """What a `StageTree` carries.

    Attributes
    ----------
    stages, heads, gates, gated : dict
        States of the nodes, of what heads that run always say, of gates by the name of their head, and of what
        they open.
    heard : int
        Samples so far.
    horizon : int
        Up to which sample everything has been given out.
    """

    stages: dict[_Node, _NodeState]
    heads: dict[HeadResults, HeadState]
    gates: dict[str, GateState]
    gated: dict[GatedHead, GatedHeadState]
    heard: int = 0
    horizon: int = 0


class StageTree:
    """All heads of a stream over its mono samples.

    Parameters
    ----------
    heads : sequence of Head
    rate_hz : int
        Of the captured sound.
    with_frames : bool
        Whether log-mel frames are outcomes too, besides what heads say.

    Raises
    ------
    ValueError
        If a head waits for a gate that does not listen.
    """

    def __init__(self, heads: Sequence[Head], rate_hz: int, with_frames: bool) -> None:
        self._rate_hz = rate_hz
        self._resamplers: dict[Resample, _Node] = {}
        always = [head.name for head in heads if head.opened_by is None]
        for head in heads:
            if head.opened_by not in [None, *always]:
                raise ValueError(
                    f"{head.name} is opened by {head.opened_by!r}; expected a head that runs always: {always}"
                )
        for rank, head in sorted(enumerate(heads), key=lambda ranked: ranked[1].opened_by is not None):
            if head.opened_by is None:
                self._plant(rank, head)
            else:
                self._plant_gated(rank, head)
        self._nodes = [node for resampler in self._resamplers.values() for node in resampler.below()]
        self._gated = sorted(
            (gated for node in self._nodes for gated in node.gated), key=lambda gated: gated.outlet.rank
        )
        for rank, node in enumerate(self._nodes, len(heads)):
            if with_frames and isinstance(node.stage, LogMel):
                node.frames = FrameResults(rank, node.stage.config)

    def init(self) -> StageTreeState:
        """State of a stream that has heard nothing."""
        return StageTreeState(
            {node: _NodeState(node.stage.init()) for node in self._nodes},
            {outlet: outlet.decisions.init(0) for node in self._nodes for outlet in node.heads},
            {gated.opened_by: GateState() for gated in self._gated},
            {gated: GatedHeadState() for gated in self._gated},
        )

    def step(self, mono: Array, state: StageTreeState) -> Calls[list[TreeResult]]:
        """Take samples, give all that they complete, in no particular order.

        Parameters
        ----------
        mono : float32 array, shape (samples,)
            At the captured rate.
        state : StageTreeState
            Updated.

        Returns
        -------
        generator
            Of what it asks for; gives a list of TreeResult.
        """
        outcomes: list[TreeResult] = []
        for node in self._resamplers.values():
            yield from self._hear(node, mono[None], None, state, outcomes)
        state.heard += len(mono)
        self._ask_gates(outcomes, state)
        given = [node.placement.reached(state.stages[node].given) for node in self._resamplers.values()]
        state.horizon = min([state.heard, *given])
        switches = {name: gate.due(state.horizon) for name, gate in state.gates.items()}
        for gated in self._gated:
            outcomes += yield from gated.run(switches[gated.opened_by], state.horizon, state.gated[gated])
        return outcomes

    def next_stop(self, state: StageTreeState) -> int | None:
        """Sample up to which what is said next reaches; None if nothing is ever said."""
        stops = [node.placement.span(state.stages[node].given)[1] for node in self._nodes if node.heads]
        opened = [gated.next_stop(own) for gated, own in state.gated.items()]
        return min([*stops, *(stop for stop in opened if stop is not None)], default=None)

    def known_after(self, stop: int) -> int:
        """How many samples must be heard until all is known of those before `stop`."""
        return max([stop, *(stage.taken_for(stop) for stage in self._resamplers)])

    def finish(self, state: StageTreeState) -> list[TreeResult]:
        """Give what the end of the sound completes."""
        outcomes: list[TreeResult] = []
        for node in self._resamplers.values():
            run_alone(self._hear(node, np.zeros((1, 0), np.float32), state.heard, state, outcomes))
        self._ask_gates(outcomes, state)
        switches = {name: gate.due(state.heard) for name, gate in state.gates.items()}
        for gated in self._gated:
            outcomes += gated.finish(switches[gated.opened_by], state.heard, state.gated[gated])
        return outcomes

    def close(self, state: StageTreeState) -> list[HeadResult]:
        """End what goes on, after `finish`; the state is of no use afterwards."""
        said = [outlet.ended(state.heard, head) for outlet, head in state.heads.items()]
        for gated, own in state.gated.items():
            said += gated.close(state.heard, own)
        return sorted(said, key=lambda one: one.rank)

    def _plant(self, rank: int, head: Head) -> None:
        """Make what a head hears a part of the tree."""
        node = self._resampler(head)
        for stage in head.path:
            node = node.child(stage)
        node.heads.append(
            HeadResults(rank, head, head.decisions_at(self._rate_hz, round(node.settled_samples)))
        )

    def _plant_gated(self, rank: int, head: Head) -> None:
        """Gate what a head hears, but for what others hear anyway."""
        node, path = self._resampler(head), head.path
        while len(path) > 1 and path[0] in node.children:
            node, path = node.children[path[0]], path[1:]
        warm_up = round(_warm_up_samples(path, node.placement))
        gated = GatedHead(
            HeadResults(rank, head, head.decisions_at(self._rate_hz, warm_up)),
            Chain(*path),
            node.placement,
            pre_roll_items=round(head.pre_roll_s * self._rate_hz / node.placement.hop_samples),
            settled_samples=round(node.settled_samples),
        )
        node.gated.append(gated)

    def _resampler(self, head: Head) -> _Node:
        stage = Resample(self._rate_hz, head.model.manifest.log_mel.sample_rate_hz)
        if stage not in self._resamplers:
            self._resamplers[stage] = _Node(stage, Timeline().after(stage), Fraction(0))
        return self._resamplers[stage]

    def _hear(
        self, node: _Node, x: Array, end: int | None, state: StageTreeState, outcomes: list[TreeResult]
    ) -> Calls[None]:
        """Step a node and all that hear it; the sound ends after `x` if there is an `end`."""
        running = state.stages[node]
        y, running.state = yield from node.stage.step_calls(x, running.state)
        if end is not None:
            y = np.concatenate([y, node.stage.flush(running.state)], axis=1)
        elif not y.shape[1]:
            return
        if node.frames or node.heads:
            items = Items(y[0], running.given, node.placement, end)
            outcomes += node.frames.told(items) if node.frames else []
            for outlet in node.heads:
                outcomes += outlet.told(items, state.heads[outlet])
        running.given += y.shape[1]
        for gated in node.gated:
            gated.hold(y, state.gated[gated])
        for child in node.children.values():
            yield from self._hear(child, y, end, state, outcomes)

    @staticmethod
    def _ask_gates(outcomes: Sequence[TreeResult], state: StageTreeState) -> None:
        for outcome in outcomes:
            if isinstance(outcome, HeadResult) and outcome.head.name in state.gates:
                state.gates[outcome.head.name].hear(outcome.changes)


def _warm_up_samples(stages: Sequence[Stage], placement: Timeline) -> Fraction:
    """Sound that models need, one after the other, which hear what `placement` places."""
    samples = Fraction(0)
    for stage in stages:
        if isinstance(stage, Model):
            samples += stage.manifest.warm_up_frames * placement.hop_samples
        placement = placement.after(stage)
    return samples
