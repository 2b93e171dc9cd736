"""Test times by the clock of a sender."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.sources.timing.sender_clock import HOLD_S, STEP_S, SenderClock

RATE = 8_000
PACKET = 160
NOON = 1_796_000_000.0


def test_nothing_is_known_before_the_sender_tells() -> None:
    assert SenderClock(RATE).sent_at(5) is None


def test_times_go_in_even_steps_though_reports_are_unsteady() -> None:
    rng, clock, times = np.random.default_rng(1), SenderClock(RATE), []
    wrong = 0.0
    for n in range(5_000):
        wrong = rng.uniform(-0.02, 0.02) if n % 250 == 0 else wrong
        clock.note(n * PACKET, NOON + n * PACKET / RATE + wrong)
        times.append(clock.sent_at(n * PACKET))
    steps = np.diff(np.array(times))
    assert abs(steps - PACKET / RATE).max() < 0.001
    assert times[-1] == pytest.approx(NOON + 4_999 * PACKET / RATE, abs=0.04)


def test_a_clock_that_runs_fast_is_followed() -> None:
    clock = SenderClock(RATE)
    for n in range(100_000):
        clock.note(n * PACKET, NOON + n * PACKET / RATE * 1.0001)
    assert clock.sent_at(99_999 * PACKET) == pytest.approx(NOON + 99_999 * PACKET / RATE * 1.0001, abs=0.001)


@pytest.mark.parametrize("step_s", [3_600.0, -3_600.0, 2 * STEP_S])
def test_a_clock_that_was_set_is_believed_once_that_lasts(step_s: float) -> None:
    clock = SenderClock(RATE)
    seen = []
    for n in range(2_000):
        clock.note(n * PACKET, NOON + n * PACKET / RATE + (step_s if n >= 500 else 0.0))
        sent_at = clock.sent_at(n * PACKET)
        assert sent_at is not None
        seen.append(round(sent_at - NOON - n * PACKET / RATE, 3))
    held = round(HOLD_S * RATE / PACKET)
    assert seen == [0.0] * (500 + held) + [step_s] * (1_500 - held)


def test_time_stamps_that_begin_anew_until_the_next_report_do_no_harm() -> None:
    clock = SenderClock(RATE)
    for n in range(2_000):
        clock.note(n * PACKET, NOON + n * PACKET / RATE + (3_600.0 if 500 <= n < 750 else 0.0))
        assert clock.sent_at(n * PACKET) == pytest.approx(NOON + n * PACKET / RATE, abs=1e-5)
