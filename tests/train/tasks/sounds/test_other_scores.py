"""False labels in sound that is none of the classes: which raise thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.inference.manifest_parts import Thresholds
from train.tasks.sounds.other_scores import OtherScores

STEP_S = 0.08
HOUR_STEPS = round(3600 / STEP_S)
POINTS = (Thresholds(0.5, 0.3), Thresholds(0.5, 0.3))
"""Thresholds of two labels, of which only the first begins."""


def scores(group: str) -> OtherScores:
    """An hour of one group in ten excerpts, in each of which the first label once reaches 0.61, 0.62 and so on."""
    found = np.full((10, HOUR_STEPS // 10, 2), 0.1)
    found[:, 100, 0] = 0.6 + 0.01 * np.arange(1, 11)
    return OtherScores({group: found}, STEP_S)


@pytest.mark.parametrize("group", ["gtzan, music", "ambience, sound", "debian, music", "pjs, singing"])
def test_what_begins_in_sound_of_hours_raises_thresholds(group):
    first, second = scores(group).limit(POINTS, per_hour=4.0)
    assert 0.66 < first.on <= 0.67
    assert scores(group).begins_an_hour([first, second]) == {group: pytest.approx(4.0, abs=0.1)}
    assert second == POINTS[1]


@pytest.mark.parametrize(
    "group", ["instruments, music", "animals, sound", "effects, sound", "debian, speech", "debian, sound"]
)
def test_single_sounds_and_voices_that_nobody_labelled_by_ear_raise_none(group):
    found = scores(group)
    assert found.limit(POINTS, per_hour=4.0) == POINTS
    assert found.begins_an_hour(POINTS) == {
        group: pytest.approx(10.0, abs=0.1)
    }  # they are counted all the same


def test_sound_that_counts_is_limited_beside_sound_that_does_not():
    both = OtherScores({**scores("gtzan, music").groups, **scores("effects, sound").groups}, STEP_S)
    assert both.limit(POINTS, per_hour=4.0) == scores("gtzan, music").limit(POINTS, per_hour=4.0)
