"""A node of the tree of stages: a stage, where its items lie, and who takes them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from fractions import Fraction

from streamer.dsp.stage import Stage
from streamer.dsp.timeline import Timeline
from streamer.heads.gated_head import GatedHead
from streamer.heads.results import FrameResults, HeadResults
from streamer.inference.model import Model


class StageNode:
    """A stage, the positions of its items, and the nodes and heads that take them.

    Parameters
    ----------
    stage : Stage
    timeline : Timeline
        Positions of the stage's items.
    settled_samples : Fraction
        Number of samples from the start of the sound after which the items are meaningful.
    parent : StageNode or None
        Node whose items the stage takes; None if it takes the captured samples.
    """

    def __init__(
        self, stage: Stage, timeline: Timeline, settled_samples: Fraction, parent: StageNode | None = None
    ) -> None:
        self.stage = stage
        self.runs_model = isinstance(stage, Model)
        self.timeline = timeline
        self.settled_samples = settled_samples
        self.parent = parent
        self.children: dict[Hashable, StageNode] = {}
        self.frames: FrameResults | None = None
        self.heads: list[HeadResults] = []
        self.gated: list[GatedHead] = []

    def child(self, stage: Stage) -> StageNode:
        """Return the child node of a stage, which takes the items of this node; make it if none has the stage's key."""
        if stage.key not in self.children:
            settled = self.settled_samples + warm_up_samples([stage], self.timeline)
            self.children[stage.key] = StageNode(stage, self.timeline.after(stage), settled, self)
        return self.children[stage.key]

    def subtree(self) -> Iterator[StageNode]:
        """Yield this node and all nodes below it."""
        yield self
        for child in self.children.values():
            yield from child.subtree()


def warm_up_samples(stages: Sequence[Stage], timeline: Timeline) -> Fraction:
    """Return the samples of sound that models in a chain need to warm up, which takes items that lie on `timeline`."""
    samples = Fraction(0)
    for stage in stages:
        if isinstance(stage, Model):
            samples += stage.manifest.warm_up_frames * timeline.hop_samples
        timeline = timeline.after(stage)
    return samples
