"""Choose labels of a model: those that it has for a head slot, and of these the ones that the configuration names."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.ragged import Ragged
from streamer.dsp.stage import Stage
from streamer.errors import ConfigError
from streamer.head_slots import DecisionConfig
from streamer.inference.manifest import Manifest

SUGGESTIONS = 3
"""Most labels that an error suggests."""


class LabelChoice(Stage):
    """Stage that keeps the scores of some labels of a model.

    Parameters
    ----------
    indices : tuple of int
        Indices of the labels among the model's.
    manifest : Manifest
        Manifest of the model, with these labels alone.
    """

    def __init__(self, indices: tuple[int, ...], manifest: Manifest) -> None:
        self.indices = indices
        self.manifest = manifest

    @property
    def key(self) -> Hashable:
        return LabelChoice, self.indices

    @property
    def hop(self) -> Fraction:
        return Fraction(1)

    @property
    def latency(self) -> Fraction:
        return Fraction(1)

    def init(self, batch: int = 1) -> State:
        return (np.zeros((batch, 0), np.float32),)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return the scores of the chosen labels, of shape (batch, steps, labels), and the state."""
        return x[..., self.indices], state

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:  # noqa: ARG002 - nothing is kept
        return x._replace(values=x.values[..., self.indices])

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, len(self.indices)), np.float32)


def choose_labels(
    slot: str, section: str, manifest: Manifest, decisions: DecisionConfig
) -> LabelChoice | None:
    """Return the choice of a model's labels for a head; None if it takes all of them as they are.

    Parameters
    ----------
    slot, section : str
        Name of the head slot, and its section in the configuration.
    manifest : Manifest
        Manifest of the model.
    decisions : DecisionConfig
        Settings of the section, whose labels and thresholds are looked up.

    Raises
    ------
    ModelError
        If the model is not for this slot.
    ConfigError
        If the settings name a label that the model does not have.
    """
    offered = manifest.for_slot(slot)
    find_labels(f"[{section}] thresholds", tuple(decisions.thresholds), offered)
    places = find_labels(f"[{section}] labels", decisions.labels, offered)
    chosen = _narrowed(offered, places or range(len(offered.labels)))
    if chosen.labels == manifest.labels:
        return None
    sources = manifest.other_slots[slot].labels if slot != manifest.task else {}
    indices = tuple(manifest.labels.index(sources.get(label, label)) for label in chosen.labels)
    return LabelChoice(indices, chosen)


def find_labels(where: str, wanted: Sequence[str], manifest: Manifest) -> tuple[int, ...]:
    """Return the indices of labels among a model's, in the order in which they are wanted, each once.

    Parameters
    ----------
    where : str
        Setting that names the labels, for the error text.
    wanted : sequence of str
        Names or identifiers of labels, as the model spells them.
    manifest : Manifest
        Manifest of the model.

    Raises
    ------
    ConfigError
        If there is no such label; names the most similar ones.
    """
    places = {label: n for labels in (manifest.label_ids, manifest.labels) for n, label in enumerate(labels)}
    for label in wanted:
        if label not in places:
            near = _similar(label, manifest.labels)
            way_out = f"did you mean {' or '.join(map(repr, near))}?" if near else "its card.md lists them"
            raise ConfigError(
                f"{where} has {label!r}; expected labels of the model {manifest.name}: {way_out}"
            )
    return tuple(dict.fromkeys(places[label] for label in wanted))


def _similar(wanted: str, labels: Sequence[str]) -> list[str]:
    """Return the labels most like a text, and those that contain it, whatever their capitals."""
    by_text = {label.casefold(): label for label in labels}
    near = difflib.get_close_matches(wanted.casefold(), by_text, n=SUGGESTIONS)
    holding = [text for text in by_text if wanted and wanted.casefold() in text]
    return [by_text[text] for text in dict.fromkeys(near + holding)][:SUGGESTIONS]


def _narrowed(manifest: Manifest, places: Sequence[int]) -> Manifest:
    """Return the manifest with only the labels at some indices."""
    ids = manifest.label_ids
    return replace(
        manifest,
        labels=tuple(manifest.labels[n] for n in places),
        label_ids=tuple(ids[n] for n in places) if ids else (),
        operating_points={
            name: points if len(points) == 1 else tuple(points[n] for n in places)
            for name, points in manifest.operating_points.items()
        },
        other_slots={},
    )
