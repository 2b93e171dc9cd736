"""Count what a model says of recordings: shares of time, starts of labels, and names that are right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamer.arrays import Array
from train.augment.levels import audible_mask
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.evaluate.hearing.listeners import Decisions

SETTLED_S = 0.5
"""Time from the start of a recording, in seconds, that does not count: nothing could be decided yet."""
FEW = 3
"""Number of labels up to which each is reported by itself, as of a gate; of more labels, those said most often are."""


def counted_mask(sound: Array) -> Array:
    """Return which samples of a sound at 16 kHz count: audible ones past `SETTLED_S`; bool, shape of `sound`."""
    counted = audible_mask(sound)
    counted[: round(SETTLED_S * RATE_HZ)] = False
    return counted


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

    def add(self, recording: Recording, sound: Array, decisions: Decisions, labels: Sequence[str]) -> None:
        """Count what a model with these labels decided about the sound of a recording, float32 at 16 kHz."""
        counted = counted_mask(sound)
        self.clips += 1
        self.samples += int(counted.sum())
        for label, first, stop in decisions.spans:
            self.on[label] += int(counted[first:stop].sum())
            self.starts[label] += 1
            self.wrong[label] += label != recording.category
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
