"""Model calls: a stream yields them, and the caller runs the model, possibly for many streams in one batch."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.ragged import NO_FAULTS, place_of

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

        The other axes and the types are those of `like`, the state of one stream or of several.
        """

    def run(self, x: Array, state: State) -> StepResult:
        """Return output and next state of whole steps of the streams along the first axis; change neither argument."""


class ModelCall(NamedTuple):
    """A pending model call for one stream or several. Work yields it, and its caller sends the `Answer` back.

    Attributes
    ----------
    model : BatchModel
        Model to be run.
    x : Array, shape (streams, items, ...)
        The input of whole steps.
    state : State
        Arrays that hold the state of the model for these streams, and perhaps for others; written over.
    rows : int array, shape (streams,)
        Row in `state` of each stream, in increasing order.
    """

    model: BatchModel
    x: Array
    state: State
    rows: Array


class Answer(NamedTuple):
    """The result of a model call.

    Attributes
    ----------
    y : Array, shape (streams, steps, ...)
        Output of the model; without meaning for streams that failed.
    faults : mapping of int to Exception
        Why the model failed, by the number of the stream in the call.
    """

    y: Array
    faults: Mapping[int, Exception]


Calls: TypeAlias = Generator[Sequence[ModelCall], Sequence[Answer], Result]
"""Work that yields model calls, one or more that do not depend on each other; it is sent their answers in the same
order, and returns a result of its own."""


def answer_calls(calls: Sequence[ModelCall]) -> list[Answer]:
    """Run a model for several calls in as few batches as its largest one allows, and return an answer for each call.

    If a batch fails, each of its streams is run alone, so that an error reaches its own stream only.

    Parameters
    ----------
    calls : sequence of ModelCall
        Calls for the same model, with inputs of the same shape but for the number of streams.
    """
    found: list[list[Array | Exception]] = [[] for _ in calls]
    for batch in _batches(calls):
        for (n, _), own in zip(batch, _run([part for _, part in batch]), strict=True):
            found[n] += own
    return [_answer(own) for own in found]


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
    answers: list[Answer] | None = None
    while True:
        try:
            calls = next(work) if answers is None else work.send(answers)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answers = [answer for call in calls for answer in answer_calls([call])]


def together(works: Sequence[Calls[Result]]) -> Calls[list[Result | Exception]]:
    """Run works side by side as one, whose calls are those of all of them.

    Parameters
    ----------
    works : sequence of generator
        Generators that are not yet started.

    Returns
    -------
    generator
        Generator that returns what each work returned, or the exception that ended it.
    """
    results: list[Result | Exception] = [RuntimeError("not run")] * len(works)
    pending: dict[int, Sequence[ModelCall]] = {}
    answers: dict[int, Sequence[Answer] | None] = dict.fromkeys(range(len(works)))
    while answers:
        for n, answer in answers.items():
            try:
                # A generator that has not begun takes None.
                pending[n] = works[n].send(answer)  # type: ignore[arg-type]
            except StopIteration as end:
                results[n] = end.value
            except Exception as error:  # noqa: BLE001 - a fault in one work must not end the others
                results[n] = error
        found: Sequence[Answer] = []
        if pending:
            found = yield [call for calls in pending.values() for call in calls]
        answers, at = {}, 0
        for n, calls in pending.items():
            answers[n] = found[at : at + len(calls)]
            at += len(calls)
        pending = {}
    return results


def _batches(calls: Sequence[ModelCall]) -> list[list[tuple[int, ModelCall]]]:
    """Divide the streams of calls, in their order, into batches of at most `max_batch`, each with its number."""
    size = calls[0].model.max_batch
    batches: list[list[tuple[int, ModelCall]]] = []
    room = 0
    for n, call in enumerate(calls):
        first, streams = 0, len(call.rows)
        while first < streams:
            if not room:
                batches.append([])
                room = size
            stop = min(streams, first + room)
            batches[-1].append((n, call if stop - first == streams else _of_streams(call, first, stop)))
            room -= stop - first
            first = stop
    return batches


def _of_streams(call: ModelCall, first: int, stop: int) -> ModelCall:
    return call._replace(x=call.x[first:stop], rows=call.rows[first:stop])


def _run(batch: Sequence[ModelCall]) -> list[list[Array | Exception]]:
    """Run calls as one and store the states; return the output of each, or of each stream alone if they failed."""
    try:
        return [[y] for y in _outputs(batch)]
    except Exception as error:  # noqa: BLE001 - it is handed to the stream
        if sum(len(call.rows) for call in batch) == 1:
            return [[error]]
    alone = [[_of_streams(call, n, n + 1) for n in range(len(call.rows))] for call in batch]
    return [[_run([single])[0][0] for single in singles] for singles in alone]


def _outputs(batch: Sequence[ModelCall]) -> list[Array]:
    """Run calls as one and store the states; return the output of each."""
    model = batch[0].model
    places = [place_of(call.rows) for call in batch]
    states = [
        tuple([array[place] for array in call.state]) for call, place in zip(batch, places, strict=True)
    ]
    if len(batch) == 1:
        y, after = model.run(batch[0].x, states[0])
        _write(batch[0].state, places[0], after)
        return [y]
    edges = [0, *accumulate(len(call.rows) for call in batch)]
    spans = [slice(a, b) for a, b in pairwise(edges)]
    joint = model.allocate_state(edges[-1], states[0])
    for span, state in zip(spans, states, strict=True):
        _write(joint, span, state)
    y, after = model.run(np.concatenate([call.x for call in batch]), joint)
    for call, place, span in zip(batch, places, spans, strict=True):
        _write(call.state, place, tuple([array[span] for array in after]))
    return [y[span] for span in spans]


def _write(state: State, place: slice | Array, values: State) -> None:
    for array, value in zip(state, values, strict=True):
        array[place] = value


def _answer(found: Sequence[Array | Exception]) -> Answer:
    """Return the answer of a call by the outputs or errors of its streams in their order; an error is of one stream."""
    outputs = [y for y in found if not isinstance(y, Exception)]
    if len(outputs) == len(found):
        return Answer(outputs[0] if len(outputs) == 1 else np.concatenate(outputs), NO_FAULTS)
    nothing = np.zeros((1, *outputs[0].shape[1:]), outputs[0].dtype) if outputs else np.zeros((1, 0))
    faults: dict[int, Exception] = {}
    rows: list[Array] = []
    streams = 0
    for y in found:
        if isinstance(y, Exception):
            faults[streams] = y
        rows.append(nothing if isinstance(y, Exception) else y)
        streams += len(rows[-1])
    return Answer(np.concatenate(rows), faults)
