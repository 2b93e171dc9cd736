"""Model calls: a stream yields them, and the caller runs the model, possibly for many streams in one batch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from streamer.arrays import Array, State

StepResult: TypeAlias = tuple[Array, State]
"""The output items of a step, and the state after it."""

Result = TypeVar("Result")


class BatchModel(Protocol):
    """Model that steps several streams in one batch.

    Attributes
    ----------
    max_batch : int
        Largest batch that pays: with more streams, a call gets no cheaper per stream.
    """

    max_batch: int

    def allocate_state(self, streams: int, like: State) -> State:
        """Return arrays without values for the states of `streams` streams, one along the first axis for each.

        The other axes and the types are those of `like`, the state of one stream.
        """

    def run(self, x: Array, state: State) -> StepResult:
        """Return output and next state of whole steps of the streams along the first axis; change neither argument."""


class StateBank(Protocol):
    """Arrays that hold one model's states for many streams, one row each: `streamer.inference.state_slots.SlotBank`.

    Row numbers are passed in increasing order, each once. This is the caller's duty and is not checked: in any other
    order, streams may get each other's states.
    """

    def load(self, rows: Sequence[int]) -> State:
        """Return the states in `rows` joined into one, as `BatchModel.run` takes it: one stream for each row."""

    def store(self, rows: Sequence[int], state: State) -> None:
        """Replace the states in `rows` by `state`, whose arrays have one entry for each of `rows` along the first axis.

        It is called after `BatchModel.run`, with the state that this returned.
        """


@dataclass(frozen=True, eq=False)
class Slot:
    """State slot: a row of a bank, which belongs to one stream for as long as the stream keeps this object."""

    bank: StateBank
    row: int


class ModelCall(NamedTuple):
    """A pending model call. The stream yields it; the caller runs the model and sends the result back.

    Attributes
    ----------
    model : BatchModel
        Model to be run.
    x : Array, shape (batch, items, ...)
        The input of whole steps: of one stream, or of several that step together.
    state : State
        State of the model for the same streams.
    slots : object array, shape (batch,), of Slot or None
        State slot of each stream; None for a state that lies in no slot. The caller may move the states into slots
        and enter these here. The stream keeps this array beside its state, so a slot lives as long as its state.
    """

    model: BatchModel
    x: Array
    state: State
    slots: Array


Calls: TypeAlias = Generator[ModelCall, StepResult, Result]
"""Work that yields model calls, is sent their results, and returns a result of its own."""


def run_calls(calls: Sequence[ModelCall]) -> list[StepResult]:
    """Run a model once for several calls in one batch, and return a result for each call.

    Parameters
    ----------
    calls : sequence of ModelCall
        One call; or several calls of one stream each, for the same model and with inputs of the same shape, whose
        states lie in slots of one bank, in the order of its rows. If the model has no state, no slots are needed.

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
    """Run a generator that yields model calls to its end, and return its result; each call is a batch of its own.

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
