"""Test that unreported losses are detected by the clock, and that lateness and drift are not losses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from streamer.sources.timing.loss_watch import LossWatch

RATE_HZ = 48_000
LOOK_S = 0.01


def found(
    frames_at: Callable[[float], float], stop_s: float, asleep: tuple[float, float] = (0.0, 0.0)
) -> int:
    """Watch a source with seeded jitter, from 100 s on the clock; return the number of missing frames."""
    rng = np.random.default_rng(3)
    watch, missing = LossWatch(RATE_HZ), 0
    for look in range(int(stop_s / LOOK_S)):
        t = look * LOOK_S
        if not asleep[0] <= t < asleep[1]:
            late_s = rng.exponential(0.01)
            frames = int(max(0.0, frames_at(t) - late_s * RATE_HZ))
            missing += watch.missing(frames + missing, 100.0 + t)
    return missing


def even(t: float) -> float:
    return t * RATE_HZ


def test_a_steady_source_misses_nothing() -> None:
    assert found(even, 60.0) == 0


@pytest.mark.parametrize("ppm", [-500, 500])
def test_drift_is_no_loss(ppm: int) -> None:
    assert found(lambda t: even(t) * (1 + ppm * 1e-6), 900.0) == 0


def test_a_loss_is_found_once_and_measured() -> None:
    missing = found(lambda t: even(t) - (4.0 * RATE_HZ if t >= 21.3 else 0.0), 60.0)
    assert missing == pytest.approx(4.0 * RATE_HZ, rel=0.01)


@pytest.mark.parametrize("start_s", [20.0, 20.5, 21.0, 21.5, 21.99, 22.0, 22.01])
def test_a_source_that_catches_up_has_lost_nothing(start_s: float) -> None:
    def stalled(t: float) -> float:
        return even(start_s) if start_s <= t < start_s + 1.5 else even(t)

    assert found(stalled, 60.0) == 0


@pytest.mark.parametrize("start_s", [20.0, 20.5, 21.0, 21.99, 22.0, 22.01])
def test_a_reader_that_slept_has_lost_nothing(start_s: float) -> None:
    def fetched_later(t: float) -> float:
        return even(start_s) if start_s <= t < start_s + 5.05 else even(t)

    assert found(fetched_later, 60.0, asleep=(start_s, start_s + 5.0)) == 0
