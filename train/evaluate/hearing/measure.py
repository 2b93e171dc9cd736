"""Measure what models say of collections of sound that they did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from train.evaluate.hearing.counts import Heard
from train.evaluate.hearing.listeners import Decisions, Listener
from train.evaluate.hearing.measured_sound import MeasuredExample, examples


def measure(
    listeners: Sequence[Listener],
    root: Path,
    cache: Path,
    collections: Sequence[str],
    watchers: Sequence[Callable[[Listener, MeasuredExample, Decisions], None]] = (),
) -> dict[str, Any]:
    """Return what is said of collections: figures by listener, and by collection with the kind of sound.

    A listener is measured on no collection that it learnt from. Of several with one name, each collection is measured
    by the first that did not learn from it.

    Parameters
    ----------
    listeners : sequence of Listener
        Models to measure; each runs always.
    root, cache : Path
        Folder of the data sets, and folder of all caches.
    collections : sequence of str
        Names of collections, see `train.evaluate.hearing.measured_sound.examples`.
    watchers : sequence of callable
        Each gets every recording with the decisions about it: ``watch(listener, example, decisions)``.
    """
    heard: dict[str, dict[str, Heard]] = {listener.name: {} for listener in listeners}
    # What all learnt from is not even decoded.
    wanted = [name for name in collections if unmet(listeners, name)]
    for example in examples(wanted, root, cache):
        for listener in unmet(listeners, example.collection):
            decisions = listener.decide(example.sound)
            for watch in watchers:
                watch(listener, example, decisions)
            for row in example.rows:
                counts = heard[listener.name].setdefault(row, Heard())
                counts.add(example.recording, example.sound, decisions, listener.labels)
    return {
        listener.name: {row: found.figures(listener.labels) for row, found in heard[listener.name].items()}
        for listener in listeners
    }


def unmet(listeners: Sequence[Listener], collection: str) -> list[Listener]:
    """Return the listeners that a collection is measured by: of each name the first that did not learn from it."""
    found: dict[str, Listener] = {}
    for listener in listeners:
        if collection not in listener.learnt_from:
            found.setdefault(listener.name, listener)
    return list(found.values())
