"""Test the level meter on sounds of known level, and as a stage."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.dsp.level import FLOOR_DBFS, LevelMeter, dbfs
from streamer.dsp.stage import offline
from tests.contract import check_stage


@pytest.fixture
def noise() -> Array:
    return np.random.default_rng(5).normal(0, 0.2, (2, 5_000)).astype(np.float32)


def test_it_keeps_the_contract(noise: Array) -> None:
    check_stage(LevelMeter(441), noise)


def test_power_and_peak_are_those_of_each_interval(noise: Array) -> None:
    measured = offline(LevelMeter(1_000), noise)
    intervals = noise.astype(np.float64).reshape(2, 5, 1_000)
    np.testing.assert_allclose(measured[..., 0], np.mean(intervals**2, axis=2), rtol=1e-12)
    np.testing.assert_array_equal(measured[..., 1], np.abs(intervals).max(axis=2))


@pytest.mark.parametrize(
    ("power", "level"), [(1.0, 0.0), (0.25, -6.02), (1e-12, FLOOR_DBFS), (0.0, FLOOR_DBFS)]
)
def test_decibels(power: float, level: float) -> None:
    assert dbfs(power) == level
