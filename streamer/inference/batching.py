"""The work of many streams at once: what they ask of one graph is answered in few calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from streamer.arrays import State
from streamer.dsp.model_calls import BatchModel, Calls, ModelCall, Result, StepResult
from streamer.inference.state_slots import SlotBank, StateSlots


class BatchRunner:
    """Does the work of many streams, each as it would be done alone.

    A state that is stepped with others moves into a slot, and is the slot from then on, for as long as its stream
    carries it.

    Parameters
    ----------
    graphs : sequence of object
        Models in the order in which a stream asks for them, each where it stands first. Who asks for an early one is
        answered first: by the time it asks for a later one, all that want that are there.
    """

    def __init__(self, graphs: Sequence[object]) -> None:
        self._rank = {graph: rank for rank, graph in enumerate(dict.fromkeys(graphs))}
        self._slots: dict[BatchModel, StateSlots] = {}

    def do(self, works: Sequence[Calls[Result]]) -> list[Result | Exception]:
        """Do all of it, to its end.

        Parameters
        ----------
        works : sequence of generator
            Not yet begun; each asks for one stream.

        Returns
        -------
        list
            What each gives, or the exception that it ended with; the others do not notice.
        """
        ends: list[Result | Exception] = [RuntimeError("not done")] * len(works)
        asked: dict[int, ModelCall] = {}

        def go_on(n: int, work: Callable[[], ModelCall]) -> None:
            try:
                asked[n] = work()
            except StopIteration as done:
                ends[n] = done.value
            except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
                ends[n] = error

        for n, work in enumerate(works):
            go_on(n, partial(next, work))
        while asked:
            for numbers in self._alike(asked):
                answers = self._answers([asked.pop(n) for n in numbers])
                for n, answer in zip(numbers, answers, strict=True):
                    if isinstance(answer, Exception):
                        go_on(n, partial(works[n].throw, answer))
                    else:
                        go_on(n, partial(works[n].send, answer))
        return ends

    def _alike(self, asked: Mapping[int, ModelCall]) -> list[list[int]]:
        """Who asks for the earliest graph that is asked for, by the form of what it is given."""
        ranks = {n: self._rank.get(ask.graph, len(self._rank)) for n, ask in asked.items()}
        earliest = min(ranks.values())
        alike: defaultdict[tuple[BatchModel, tuple[int, ...]], list[int]] = defaultdict(list)
        for n, ask in asked.items():
            if ranks[n] == earliest:
                alike[ask.graph, ask.x.shape].append(n)
        return list(alike.values())

    def _answers(self, asks: Sequence[ModelCall]) -> list[StepResult | Exception]:
        """An answer to each of some that are alike."""
        if len(asks) == 1:
            return [self._by_itself(asks[0])]
        if not asks[0].state:
            most = asks[0].graph.max_batch
            calls = (asks[first : first + most] for first in range(0, len(asks), most))
            return [answer for call in calls for answer in self._without_state(call)]
        return self._in_slots(asks)

    def _in_slots(self, asks: Sequence[ModelCall]) -> list[StepResult | Exception]:
        slots = self._slots_of(asks[0].graph)
        states: list[State] = []
        banks: defaultdict[SlotBank, dict[int, int]] = defaultdict(dict)
        for n, ask in enumerate(asks):
            slot, state = slots.find(ask.state), ask.state
            if slot is None:
                slot, state = slots.take_in(state)
            states.append(state)
            banks[slot.bank][slot.row] = n
        answers: dict[int, StepResult | Exception] = {}
        for bank, by_row in banks.items():
            rows = sorted(by_row)
            numbers = [by_row[row] for row in rows]
            xs = [asks[n].x for n in numbers]
            try:
                y = bank.run(np.concatenate(xs), rows)
            except Exception:  # noqa: BLE001 - whose fault it is shows when each is answered by itself
                answers |= {n: self._by_itself(replace(asks[n], state=states[n])) for n in numbers}
            else:
                answers |= {n: (y[k : k + 1], states[n]) for k, n in enumerate(numbers)}
        return [answers[n] for n in range(len(asks))]

    def _slots_of(self, graph: BatchModel) -> StateSlots:
        if graph not in self._slots:
            self._slots[graph] = StateSlots(graph)
        return self._slots[graph]

    def _without_state(self, asks: Sequence[ModelCall]) -> Sequence[StepResult | Exception]:
        try:
            y, _ = asks[0].graph.run(np.concatenate([ask.x for ask in asks]), ())
        except Exception:  # noqa: BLE001 - as above
            return [self._by_itself(ask) for ask in asks]
        return [(y[n : n + 1], ()) for n in range(len(asks))]

    def _by_itself(self, ask: ModelCall) -> StepResult | Exception:
        try:
            y, after = ask.graph.run(ask.x, ask.state)
        except Exception as error:  # noqa: BLE001 - it is that stream's
            return error
        if not ask.state or self._slots_of(ask.graph).find(ask.state) is None:
            return y, after
        for array, value in zip(ask.state, after, strict=True):
            array[...] = value
        return y, ask.state
