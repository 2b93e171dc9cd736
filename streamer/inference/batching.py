"""Run the work of many streams at once: their calls of one model are run in few batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamer.dsp.model_calls import BatchModel, Calls, ModelCall, Result, StateBank, StepResult, run_calls
from streamer.inference.state_slots import StateSlots


class BatchRunner:
    """Runs the work of many streams in common batches, with the same result for each stream as alone.

    A model state that is stepped in a batch with others moves into a state slot, and stays there while its stream
    keeps the slot.

    Parameters
    ----------
    models : sequence of object
        Models in the order in which a stream calls them; see `set_order`.
    """

    def __init__(self, models: Sequence[object]) -> None:
        self._slots: dict[BatchModel, StateSlots] = {}
        self.set_order(models)

    def set_order(self, models: Sequence[object]) -> None:
        """Set the order in which models are run; model states stay in their slots.

        Parameters
        ----------
        models : sequence of object
            Models in the order in which a stream calls them; of a model that is named twice, the first place counts.
            Calls of earlier models are run first, so that all streams have called a later model when that is run.
        """
        self._rank = {model: rank for rank, model in enumerate(dict.fromkeys(models))}
        # What is no longer called must not keep a model and its banks in memory.
        self._slots = {model: slots for model, slots in self._slots.items() if model in self._rank}

    def run(self, works: Sequence[Calls[Result]]) -> list[Result | Exception]:
        """Run the work of each stream to its end, and return the results.

        Parameters
        ----------
        works : sequence of generator
            Generators that are not yet started. Each yields the model calls of one stream.

        Returns
        -------
        list
            What each generator returned, or the exception that ended it, which does not affect the others.
        """
        results: list[Result | Exception] = [RuntimeError("not run")] * len(works)
        pending: dict[int, ModelCall] = {}

        def resume(n: int, go_on: Callable[[Any], ModelCall], answer: StepResult | Exception | None) -> None:
            try:
                pending[n] = go_on(answer)
            except StopIteration as end:
                results[n] = end.value
            except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
                results[n] = error

        for n, work in enumerate(works):
            resume(n, work.send, None)
        while pending:
            for batch in self._batches(pending):
                answers = _answers([pending.pop(n) for n in batch])
                for n, answer in zip(batch, answers, strict=True):
                    if isinstance(answer, Exception):
                        resume(n, works[n].throw, answer)
                    else:
                        resume(n, works[n].send, answer)
        return results

    def _batches(self, pending: dict[int, ModelCall]) -> list[list[int]]:
        """Divide the calls of the earliest model that is called into batches, by their numbers in `pending`."""
        ranks = {n: self._rank.get(call.model, len(self._rank)) for n, call in pending.items()}
        earliest = min(ranks.values())
        # Only inputs of one shape can share a batch: some streams may be due for more steps than others.
        groups: defaultdict[tuple[BatchModel, tuple[int, ...]], list[int]] = defaultdict(list)
        for n, call in pending.items():
            if ranks[n] == earliest:
                groups[call.model, call.x.shape].append(n)
        batches: list[list[int]] = []
        for (model, _), group in groups.items():
            # A single call leaves its state where it is: it would be copied into a slot for nothing.
            if len(group) > 1 and pending[group[0]].state:
                pending |= {n: self._in_slot(pending[n]) for n in group}
                batches += _by_bank({n: pending[n] for n in group})
            else:
                batches += [group[k : k + model.max_batch] for k in range(0, len(group), model.max_batch)]
        return batches

    def _in_slot(self, call: ModelCall) -> ModelCall:
        """Return the call with its state in a slot; the state is moved into one unless it lies there already."""
        if call.slots[0] is not None:
            return call
        if call.model not in self._slots:
            self._slots[call.model] = StateSlots(call.model)
        call.slots[0], state = self._slots[call.model].take(call.state)
        return call._replace(state=state)


def _by_bank(calls: Mapping[int, ModelCall]) -> list[list[int]]:
    """Group the numbers of calls by the bank of their slots, in the order of its rows."""
    banks: defaultdict[StateBank, list[int]] = defaultdict(list)
    for n in sorted(calls, key=lambda n: calls[n].slots[0].row):
        banks[calls[n].slots[0].bank].append(n)
    return list(banks.values())


def _answers(calls: Sequence[ModelCall]) -> Sequence[StepResult | Exception]:
    """Answer calls in one batch; if that fails, each in its own, so that an error reaches its own stream alone."""
    try:
        return run_calls(calls)
    except Exception as error:  # noqa: BLE001 - it is handed to the stream
        return [error] if len(calls) == 1 else [answer for call in calls for answer in _answers([call])]
