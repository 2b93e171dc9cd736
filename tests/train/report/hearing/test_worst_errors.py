"""The greatest errors are kept, of each name and model, and one of each category."""

from __future__ import annotations

import numpy as np
import pytest

from train.data.recordings import Recording
from train.evaluate.hearing.listeners import Decisions
from train.evaluate.hearing.measured_sound import MeasuredExample
from train.report.hearing.worst_errors import Worst

RATE_HZ = 16_000
SECONDS = 4


class Said:
    """A model that says what it is told to."""

    version, thresholds = "1", None

    def __init__(self, *labels: str) -> None:
        self.name, self.labels = "said", labels

    def decide(self, sound):
        raise AssertionError("the decisions are given")


def example(kind: str, category: str) -> MeasuredExample:
    sound = np.random.default_rng(0).standard_normal(SECONDS * RATE_HZ).astype(np.float32)
    return MeasuredExample("toys", Recording("toys", "a", (), kind, category, 1), sound, ())


def spans(*parts: tuple[str, float, float]) -> Decisions:
    return Decisions([(label, round(first * RATE_HZ), round(stop * RATE_HZ)) for label, first, stop in parts])


def kept(worst: Worst) -> list[tuple[str, str, float]]:
    return [(e.name, e.example.recording.category, pytest.approx(e.seconds)) for e in worst.errors()]


def test_a_gate_is_wrong_where_it_misses_music_or_says_it_of_other_sound():
    worst, gate = Worst(2), Said("music")
    worst.add(gate, example("music", "flute"), spans(("music", 1, 3)))  # of 3.5 s that count
    worst.add(gate, example("sound", "rain"), spans(("music", 0, 1)))
    worst.add(gate, example("singing", "song"), spans(("music", 0, 4)))  # left open
    worst.add(gate, example("sound", "wind"), spans())
    assert kept(worst) == [("missed music", "flute", 1.5), ("false music", "rain", 0.5)]


def test_only_the_greatest_are_kept_and_one_of_a_category():
    worst, gate = Worst(2), Said("music")
    for category, seconds in (("rain", 2), ("rain", 1), ("wind", 3), ("sea", 1.5)):
        worst.add(gate, example("sound", category), spans(("music", 0.5, 0.5 + seconds)))
    assert kept(worst) == [("false music", "wind", 3.0), ("false music", "rain", 2.0)]


def test_a_model_of_many_labels_is_wrong_where_one_is_on_that_is_not_the_category():
    worst, sounds = Worst(1), Said("rain", "wind", "dog", "cat")
    worst.add(sounds, example("sound", "rain"), spans(("rain", 1, 4), ("cat", 1, 2), ("wind", 1.5, 3)))
    (error,) = worst.errors()
    assert (error.name, error.labels) == ("wrong labels", ("wind", "cat"))
    assert error.seconds == pytest.approx(2)
