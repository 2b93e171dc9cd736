"""Decisions about whole recordings: what a model says, and when, as in live listening."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streamer.arrays import Array
from streamer.dsp.model_calls import run_alone
from streamer.dsp.ragged import ONE_ROW, of_equal_length
from streamer.heads.head import Head
from streamer.heads.results import HeadResult
from streamer.heads.stage_tree import StageTree
from streamer.inference.manifest_parts import Thresholds
from train.data.decode import RATE_HZ
from train.data.sets.catalogue import DATA_SETS, whole_of


@dataclass(frozen=True)
class Decisions:
    """Decisions of a model about a recording.

    Attributes
    ----------
    spans : sequence of (str, int, int)
        Each time that a label was on: the label, the first sample at which it was reported, and one past the last.
    scores : float array, shape (steps, labels), or None
        Score of each label at each step, 0 to 1; None if the model gives none, or gave none yet.
    steps : int array, shape (steps,), or None
        Sample after the last one that each step depends on; None where `scores` is None.
    """

    spans: Sequence[tuple[str, int, int]]
    scores: Array | None = None
    steps: Array | None = None

    @property
    def mean_scores(self) -> Array | None:
        """Mean score of each label, shape (labels,); None if there are no scores."""
        return None if self.scores is None else np.mean(self.scores, axis=0)

    def on(self, labels: Collection[str], samples: int) -> Array:
        """Return at which of the first `samples` samples one of some labels was on, bool, shape (samples,)."""
        on = np.zeros(samples, bool)
        for label, first, stop in self.spans:
            if label in labels:
                on[first:stop] = True
        return on


class Listener(Protocol):
    """Interface of a model that decides which of its labels can be heard in a recording.

    Attributes
    ----------
    name : str
        Name of the model in the figures.
    version : str
        Text that changes whenever the model would decide otherwise: its version, or a hash of what it consists of.
    labels : tuple of str
        Names of all labels that it can say.
    thresholds : tuple of Thresholds, or None
        Thresholds of each label; None if they are not known.
    learnt_from : frozenset of str
        Names of the data sets in `train.data.sets.catalogue` that the model learnt from, or that have recordings in
        common with those.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def thresholds(self) -> tuple[Thresholds, ...] | None: ...

    @property
    def learnt_from(self) -> frozenset[str]: ...

    def decide(self, sound: Array) -> Decisions:
        """Return the decisions about the sound of a recording, float32 at 16 kHz."""
        ...


class HeadListener:
    """A head of live listening, which runs all the time.

    Parameters
    ----------
    head : Head
        The head.
    name : str, optional
        Name in the figures; by default that of the head.
    """

    def __init__(self, head: Head, name: str = "") -> None:
        self._head = head
        self.name = name or head.name
        self.labels = head.manifest.labels
        deciders = head.decisions_at(RATE_HZ, 0).deciders
        self.thresholds = tuple(Thresholds(decider.on, decider.off) for decider in deciders)
        parts = head.model.manifest.sha256, head.ear and head.ear.manifest.sha256, deciders, head.decisions
        manifests = [head.model.manifest, *([head.ear.manifest] if head.ear else [])]
        titles = {data["name"] for manifest in manifests for data in manifest.trained_on}
        learnt = {whole_of(name) for name, data in DATA_SETS.items() if data.title in titles}
        self.learnt_from = frozenset(name for name in DATA_SETS if whole_of(name) in learnt)
        self.version = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]

    def decide(self, sound: Array) -> Decisions:
        """Return the decisions of the head about `sound`, float32 at 16 kHz.

        The time of a report counts, not that at which the sound began: a light that follows the label goes on then.
        """
        results = head_results(self._head, sound)
        scored = [(result.scores, result.stop) for result in results if result.scores is not None]
        spans = list(_spans(results, len(sound)))
        if not scored:
            return Decisions(spans)
        scores, steps = zip(*scored, strict=True)
        return Decisions(spans, np.array(scores), np.array(steps))


def head_results(head: Head, sound: Array) -> list[HeadResult]:
    """Return what a head of live listening reports of `sound`, float32 at 16 kHz, from a fresh start to its end."""
    tree = StageTree((head,), RATE_HZ, with_frames=False)
    state = tree.init()
    step = run_alone(tree.step(of_equal_length(sound[None]), state, ONE_ROW))
    results = [*step.results[0], *tree.finish(state)]
    return [result for result in results if isinstance(result, HeadResult)]


def _spans(results: Sequence[HeadResult], end: int) -> Iterator[tuple[str, int, int]]:
    begun: dict[str, int] = {}
    for result in results:
        for change in result.changes:
            if change.state == "on":
                begun[change.label] = change.at
            elif change.state == "off" and change.label in begun:
                yield change.label, begun.pop(change.label), change.at
    for label, first in begun.items():
        yield label, first, end
