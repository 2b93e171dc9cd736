"""Test that it is known to the sample when a result is due."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.dsp.resample import Resample
from streamer.dsp.timeline import Timeline
from streamer.heads.tree_clock import NEVER, TreeClock
from tests.heads.one_stream import NO_INTERVALS

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 384_000)
ROWS = np.array([2, 0])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("stop", [1, 2, 3_000, 4_801])
def test_so_many_samples_are_wanted_as_make_all_that_lies_before_one(rate_hz: int, stop: int) -> None:
    stage = Resample(rate_hz, 16_000)
    before = -(-stop * 16_000 // rate_hz)  # outputs that lie before it
    clock = TreeClock([Timeline().after(stage)], [], [(0, stage)])
    wanted = clock.wanted_samples(np.array([stop, NEVER]), NO_INTERVALS, clock.init(3), ROWS)
    for samples, made in ((int(wanted[0]), True), (int(wanted[0]) - 1, False)):
        y, _ = stage.step(np.zeros((1, samples), np.float32), stage.init())
        assert (y.shape[1] >= before) is made
    assert wanted[1] > 2**40


def test_the_earliest_result_of_all_is_wanted() -> None:
    """Of items every 30 and every 40 samples, one of which has given out three and the other two."""
    clock = TreeClock([Timeline(30, 30), Timeline(40, 50)], [0, 1], [])
    state = clock.init(3)
    state.given[2] = 3, 2
    clock.advance(np.array([100, 0]), state, ROWS)
    assert clock.wanted_samples(np.array([NEVER, NEVER]), NO_INTERVALS, state, ROWS).tolist() == [20, 30]
    assert clock.wanted_samples(np.array([105, 3]), NO_INTERVALS, state, ROWS).tolist() == [5, 3]
    assert clock.wanted_samples(np.array([90, 0]), NO_INTERVALS, state, ROWS).tolist() == [1, 1]


def test_intervals_are_passed_and_wanted_where_their_timelines_say() -> None:
    lines = Timeline(480, 480), Timeline(3 * 441, 1_000, 3)
    intervals = np.array([(own.hop, own.latency, own.scale) for own in lines])
    clock = TreeClock([], [], [])
    state, samples = clock.init(3), np.random.default_rng(0).integers(0, 900, (20, 2))
    for new in samples:
        done = state.processed_samples[ROWS].tolist()
        passed = clock.passed(intervals, new, state, ROWS).tolist()
        clock.advance(new, state, ROWS)
        wanted = clock.wanted_samples(np.array([NEVER, NEVER]), intervals, state, ROWS).tolist()
        for n, (before, count) in enumerate(zip(done, new.tolist(), strict=True)):
            now = before + count
            assert passed[n] == [[own.items_before(at + 1) for at in (before, now)] for own in lines]
            assert wanted[n] == min(own.stop(own.items_before(now + 1)) for own in lines) - now


def test_what_is_known_reaches_to_the_slowest_resampler() -> None:
    stages = [Resample(32_000, 16_000), Resample(32_000, 8_000)]
    clock = TreeClock([Timeline().after(stage) for stage in stages], [], [*enumerate(stages)])
    state = clock.init(3)
    state.given[2] = 40, 18
    clock.advance(np.array([100, 7]), state, ROWS)
    assert state.processed_samples.tolist() == [7, 0, 100]
    assert state.known_until.tolist() == [0, 0, 72]
