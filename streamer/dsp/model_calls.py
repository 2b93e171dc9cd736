"""Model calls: a stream yields them, and the caller runs the model, possibly for many streams in one batch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import numpy as np

from streamer.arrays import Array, State

StepResult: TypeAlias = tuple[Array, State]
"""The output items of a step, and the state after it."""

Result = TypeVar("Result")


class BatchModel(Protocol):
    """A model that steps several streams in one batch.

    Attributes
    ----------
    max_batch : int
        The largest number of streams that is worth one call.
    """

    max_batch: int

    def allocate_state(self, streams: int, like: State) -> State:
        """Allocate uninitialised state for `streams` streams, shaped like `like`."""

    def run(self, x: Array, state: State) -> StepResult:
        """Run whole steps of the streams along the first axis; nothing that is given is changed."""


class StateBank(Protocol):
    """Arrays that hold the states of many streams, one row each."""

    def load(self, rows: Sequence[int]) -> State:
        """Return the states in `rows`, which increase."""

    def store(self, rows: Sequence[int], state: State) -> None:
        """Overwrite the states in `rows`, which increase."""


@dataclass(frozen=True, eq=False)
class Slot:
    """A row of a bank that belongs to one stream for as long as the stream keeps this object."""

    bank: StateBank
    row: int


@dataclass(frozen=True, eq=False)
class ModelCall:
    """A pending model call. The stream yields it; the caller runs the model and sends the result back.

    Attributes
    ----------
    model : BatchModel
    x : Array, shape (batch, items, ...)
        The input of whole steps: of one stream, or of several that step together.
    state : State
        The model's state of the same streams.
    slots : object array, shape (batch,), of Slot or None
        The place of each stream's state in a bank. The caller may fill it in, and `state` then lies in that slot.
        The stream keeps it beside its state, so a slot lives as long as the state in it.
    """

    model: BatchModel
    x: Array
    state: State
    slots: Array


Calls: TypeAlias = Generator[ModelCall, StepResult, Result]
"""Work that yields model calls, is sent their results, and returns a result of its own."""


def run_calls(calls: Sequence[ModelCall]) -> list[StepResult]:
    """Run a model once for calls that can share a batch, and return the result of each.

    Parameters
    ----------
    calls : sequence of ModelCall
        One call, or several of one stream each, for the same model and with inputs of the same shape. Their states
        lie in slots of one bank, in the order of its rows, or the model has no state.

    Returns
    -------
    list of StepResult
        In the order of `calls`. A state that lies in a slot is written over and returned as it is.
    """
    first, streams = calls[0], len(calls[0].x)
    x = first.x if len(calls) == 1 else np.concatenate([call.x for call in calls])
    if first.slots[0] is None:
        y, after = first.model.run(x, first.state)
        states = [after] * len(calls)  # of several calls only if the model has no state
    else:
        bank, rows = first.slots[0].bank, [call.slots[0].row for call in calls]
        y, after = first.model.run(x, bank.load(rows))
        bank.store(rows, after)
        states = [call.state for call in calls]
    return [(y[n * streams : (n + 1) * streams], state) for n, state in enumerate(states)]


def run_alone(work: Calls[Result]) -> Result:
    """Run work to its end, with a batch of its own for each model call.

    Parameters
    ----------
    work : generator
        Not yet started.

    Returns
    -------
    Result
        What the work returns.
    """
    result: StepResult | None = None
    while True:
        try:
            call = next(work) if result is None else work.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        (result,) = run_calls([call])
