"""Pending model calls: a stream yields them, and whoever runs the model may answer many streams at once."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from streamer.arrays import Array, State

StepResult: TypeAlias = tuple[Array, State]


Result = TypeVar("Result")


class BatchModel(Protocol):
    """What computes a whole step of several streams at once.

    Attributes
    ----------
    streams_at_once : int
        As many as are worth one call.
    """

    max_batch: int

    def allocate_state(self, streams: int, like: State) -> State:
        """Arrays for the states of so many streams, which are like the one given; what is in them does not matter."""

    def run(self, x: Array, state: State) -> StepResult:
        """Whole steps of streams, which are the first axis of every array; nothing that is given is changed."""


@dataclass(frozen=True, eq=False)
class ModelCall:
    """What a stream cannot go on without: who answers may do it for many streams in one call.

    Attributes
    ----------
    graph : BatchModel
    x : Array
    state : State
        Both of one stream, or of several that step together.
    """

    graph: BatchModel
    x: Array
    state: State


Calls: TypeAlias = Generator[ModelCall, StepResult, Result]
"""Work that yields what it asks for, is sent the answers, and returns its result."""


def run_alone(work: Calls[Result]) -> Result:
    """Do work to its end, answering what it asks for at once.

    Parameters
    ----------
    work : generator
        Not yet begun.
    """
    answer: StepResult | None = None
    while True:
        try:
            ask = next(work) if answer is None else work.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        answer = ask.graph.run(ask.x, ask.state)
