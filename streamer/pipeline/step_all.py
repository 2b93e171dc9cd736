"""Process the next sound of many streams of any kind in common batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from streamer.events.kinds import Event
from streamer.inference.batching import BatchRunner
from streamer.pipeline.pipeline import Pipeline
from streamer.sources.source import Block


def step_all(steps: Sequence[tuple[Pipeline, Block]], runner: BatchRunner) -> list[list[Event] | Exception]:
    """Process a block of each of some streams, column by column, with common calls of the models.

    Parameters
    ----------
    steps : sequence of (Pipeline, Block)
        Streams, each once, and the next sound of each, as for `Pipeline.step`.
    runner : BatchRunner

    Returns
    -------
    list
        For each stream its events, or the error that ends it.
    """
    columns: defaultdict[object, list[int]] = defaultdict(list)
    for n, (pipeline, _) in enumerate(steps):
        columns[pipeline.column].append(n)
    works = [Pipeline.step_together([steps[n] for n in places]) for places in columns.values()]
    results: list[list[Event] | Exception] = [[] for _ in steps]
    for places, found in zip(columns.values(), runner.run(works), strict=True):
        for k, n in enumerate(places):
            results[n] = found if isinstance(found, Exception) else found[k]
    return results
