"""Run the work of many streams at once: their calls of one model are run in few batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streamer.dsp.model_calls import Answer, BatchModel, Calls, ModelCall, Result, answer_calls


@dataclass(slots=True)
class _Pending:
    """The calls that a work waits for, and the answers that are there already, by the number of the call."""

    calls: Sequence[ModelCall]
    answers: dict[int, Answer]


class BatchRunner:
    """Runs works in common batches, with the same result for each as alone.

    Parameters
    ----------
    models : sequence of object
        Models in the order in which a stream calls them; see `set_order`.
    """

    def __init__(self, models: Sequence[object]) -> None:
        self.set_order(models)

    def set_order(self, models: Sequence[object]) -> None:
        """Set the order in which models are run.

        Parameters
        ----------
        models : sequence of object
            Models in the order in which a stream calls them; of a model that is named twice, the first place counts.
            Calls of earlier models are run first, so that all streams have called a later model when that is run.
        """
        self._rank = {model: rank for rank, model in enumerate(dict.fromkeys(models))}

    def run(self, works: Sequence[Calls[Result]]) -> list[Result | Exception]:
        """Run each work to its end, and return the results.

        Parameters
        ----------
        works : sequence of generator
            Generators that are not yet started, and yield model calls.

        Returns
        -------
        list
            What each generator returned, or the exception that ended it, which does not affect the others.
        """
        results: list[Result | Exception] = [RuntimeError("not run")] * len(works)
        pending: dict[int, _Pending] = {}

        def resume(n: int, answers: Sequence[Answer] | None) -> None:
            try:
                # A generator that has not begun takes None.
                pending[n] = _Pending(works[n].send(answers), {})  # type: ignore[arg-type]
            except StopIteration as end:
                results[n] = end.value
            except Exception as error:  # noqa: BLE001 - a fault in one work must not end the others
                results[n] = error

        for n in range(len(works)):
            resume(n, None)
        while pending:
            for group in self._groups(pending):
                answers = answer_calls([call for _, _, call in group])
                for (own, k, _), answer in zip(group, answers, strict=True):
                    own.answers[k] = answer
            for n, own in [*pending.items()]:
                if len(own.answers) == len(own.calls):
                    del pending[n]
                    resume(n, [own.answers[k] for k in range(len(own.calls))])
        return results

    def _groups(self, pending: Mapping[int, _Pending]) -> Iterable[list[tuple[_Pending, int, ModelCall]]]:
        """Return the calls of the earliest model that is called, those of one shape together, each with its number."""
        asked = [
            (own, k, call)
            for own in pending.values()
            for k, call in enumerate(own.calls)
            if k not in own.answers
        ]
        ranks = [self._rank.get(call.model, len(self._rank)) for _, _, call in asked]
        earliest = min(ranks)
        # Only inputs of one shape can share a batch: some streams may be due for more steps than others.
        groups: defaultdict[tuple[BatchModel, tuple[int, ...]], list[tuple[_Pending, int, ModelCall]]]
        groups = defaultdict(list)
        for each, rank in zip(asked, ranks, strict=True):
            if rank == earliest:
                call = each[2]
                groups[call.model, call.x.shape[1:]].append(each)
        return groups.values()
