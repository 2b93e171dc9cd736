"""Run the work of many streams at once: their calls of one model are run in few batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.dsp.model_calls import Answer, BatchModel, Calls, ModelCall, Result, answer_calls


@dataclass
class _Pending:
    """The calls that a work waits for, and the answers that are there already."""

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
                answers = answer_calls([pending[n].calls[k] for n, k in group])
                for (n, k), answer in zip(group, answers, strict=True):
                    pending[n].answers[k] = answer
            for n in [n for n, own in pending.items() if len(own.answers) == len(own.calls)]:
                own = pending.pop(n)
                resume(n, [own.answers[k] for k in range(len(own.calls))])
        return results

    def _groups(self, pending: dict[int, _Pending]) -> list[list[tuple[int, int]]]:
        """Return the calls of the earliest model that is called, those of one shape together, by work and number."""
        asked = {
            (n, k): call
            for n, own in pending.items()
            for k, call in enumerate(own.calls)
            if k not in own.answers
        }
        ranks = {place: self._rank.get(call.model, len(self._rank)) for place, call in asked.items()}
        earliest = min(ranks.values())
        # Only inputs of one shape can share a batch: some streams may be due for more steps than others.
        groups: defaultdict[tuple[BatchModel, tuple[int, ...]], list[tuple[int, int]]] = defaultdict(list)
        for place, call in asked.items():
            if ranks[place] == earliest:
                groups[call.model, call.x.shape[1:]].append(place)
        return list(groups.values())
