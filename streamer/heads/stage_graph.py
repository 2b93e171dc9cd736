"""Merge the paths of all heads of a stream into trees of stages: those with equal keys become one node."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction

from streamer.dsp.log_mel import LogMel
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain
from streamer.dsp.timeline import Timeline
from streamer.heads.gated_head import GatedHead
from streamer.heads.head import Head
from streamer.heads.results import FrameResults, HeadResults
from streamer.heads.stage_node import StageNode, warm_up_samples


class StageGraph:
    """The stages between the captured sound and the scores of all heads.

    Parameters
    ----------
    heads : sequence of Head
        Heads to run, those that run always and gated ones, in any order.
    rate_hz : int
        Sample rate of the captured sound.
    with_frames : bool
        Whether log-mel frames are results too, besides those of the heads.

    Attributes
    ----------
    always : list of str
        Names of the heads that run always.
    nodes : list of StageNode
        All nodes, each after its parent.
    gated : list of GatedHead
        The gated heads in their order.

    Raises
    ------
    ValueError
        If a head has a gate that is not among the heads, or is gated itself.
    """

    def __init__(self, heads: Sequence[Head], rate_hz: int, with_frames: bool) -> None:
        self._rate_hz = rate_hz
        self._resamplers: dict[Hashable, StageNode] = {}
        self.always = [head.name for head in heads if head.opened_by is None]
        for head in heads:
            if head.opened_by not in [None, *self.always]:
                raise ValueError(
                    f"{head.name} is opened by {head.opened_by!r}; expected a head that runs always: {self.always}"
                )
        # Gated heads come last: stages that heads share which run always are not gated.
        for rank, head in sorted(enumerate(heads), key=lambda ranked: ranked[1].opened_by is not None):
            if head.opened_by is None:
                self._add(rank, head)
            else:
                self._add_gated(rank, head)
        self.nodes = [node for resampler in self._resamplers.values() for node in resampler.subtree()]
        self.gated = sorted(
            (gated for node in self.nodes for gated in node.gated), key=lambda gated: gated.results.rank
        )
        for rank, node in enumerate(self.nodes, len(heads)):
            if with_frames and isinstance(node.stage, LogMel):
                node.frames = FrameResults(rank, node.stage.config)

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
            self._resamplers[stage.key] = StageNode(stage, Timeline().after(stage), Fraction(0))
        return self._resamplers[stage.key]
