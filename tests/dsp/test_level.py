"""Test the level meter on sounds of known level, and as a stage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.dsp.level import FLOOR_DBFS, LevelMeter, dbfs
from streamer.dsp.stage import offline
from streamer.dsp.timeline import Timeline
from tests.contract import check_stage


@pytest.fixture
def noise() -> Array:
    return np.random.default_rng(5).normal(0, 0.2, (2, 5_000)).astype(np.float32)


@pytest.mark.parametrize("timeline", [Timeline.every(441), Timeline(4_101 * 10 + 3, 9_000, 100)])
def test_it_keeps_the_contract(timeline: Timeline, noise: Array) -> None:
    check_stage(LevelMeter(timeline), noise, slack=1 if timeline.scale > 1 else 0)


def test_power_and_peak_are_those_of_each_interval(noise: Array) -> None:
    measured = offline(LevelMeter(Timeline.every(1_000)), noise)
    intervals = noise.astype(np.float64).reshape(2, 5, 1_000)
    np.testing.assert_allclose(measured[..., 0], np.mean(intervals**2, axis=2), rtol=1e-12)
    np.testing.assert_array_equal(measured[..., 1], np.abs(intervals).max(axis=2))


def test_intervals_stop_where_the_items_of_a_timeline_do(noise: Array) -> None:
    timeline = Timeline(41_013, 9_000, 100)
    measured = offline(LevelMeter(timeline), noise)
    edges = [timeline.stop(k - 1) for k in range(measured.shape[1] + 1)]
    assert edges[:4] == [0, 90, 501, 911]
    for k, (start, stop) in enumerate(pairwise(edges)):
        own = noise[:, start:stop].astype(np.float64)
        np.testing.assert_allclose(measured[:, k, 0], np.mean(own**2, axis=1), rtol=1e-12)
        np.testing.assert_array_equal(measured[:, k, 1], np.abs(own).max(axis=1))
    assert timeline.stop(measured.shape[1]) > noise.shape[1]


@pytest.mark.parametrize(
    ("power", "level"), [(1.0, 0.0), (0.25, -6.02), (1e-12, FLOOR_DBFS), (0.0, FLOOR_DBFS)]
)
def test_decibels(power: float, level: float) -> None:
    assert dbfs(power) == level
