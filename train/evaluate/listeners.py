"""Decisions about whole recordings: what a model says, and when, as in live listening."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streamer.arrays import Array
from streamer.dsp.model_calls import run_alone
from streamer.heads.head import Head
from streamer.heads.results import HeadResult
from streamer.heads.stage_tree import StageTree
from train.data.decode import RATE_HZ


@dataclass(frozen=True)
class Decisions:
    """Decisions of a model about a recording.

    Attributes
    ----------
    spans : sequence of (str, int, int)
        Each time that a label was on: the label, the first sample at which it was reported, and one past the last.
    mean_scores : array, shape (labels,), or None
        Mean score of each label; None if the model gives none, or gave none yet.
    """

    spans: Sequence[tuple[str, int, int]]
    mean_scores: Array | None = None


class Listener(Protocol):
    """Interface of a model that decides which of its labels can be heard in a recording.

    Attributes
    ----------
    name : str
        Name of the model in the figures.
    labels : tuple of str
        Names of all labels that it can say.
    """

    @property
    def name(self) -> str: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    def decide(self, sound: Array) -> Decisions:
        """Return the decisions about the sound of a recording, float32 at 16 kHz."""
        ...


class HeadListener:
    """A head of live listening, which runs all the time.

    Parameters
    ----------
    head : Head
        The head.
    """

    def __init__(self, head: Head) -> None:
        self._head = head
        self.name = head.name
        self.labels = head.manifest.labels

    def decide(self, sound: Array) -> Decisions:
        """Return the decisions of the head about `sound`, float32 at 16 kHz.

        The time of a report counts, not that at which the sound began: a light that follows the label goes on then.
        """
        results = head_results(self._head, sound)
        scores = [result.scores for result in results if result.scores is not None]
        return Decisions(list(_spans(results, len(sound))), np.mean(scores, axis=0) if scores else None)


def head_results(head: Head, sound: Array) -> list[HeadResult]:
    """Return what a head of live listening reports of `sound`, float32 at 16 kHz, from a fresh start to its end."""
    tree = StageTree((head,), RATE_HZ, with_frames=False)
    state = tree.init()
    results = [*run_alone(tree.step(sound, state)), *tree.finish(state)]
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
