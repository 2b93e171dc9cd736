"""Test how frames of live streams are placed: by time stamps, and by the clock."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.sources.timing.arrival import ANCHOR_WINDOW_S, ArrivalClock, Pace, PauseWatch
from streamer.sources.timing.placing import Placing

RATE = 8_000
PACKET = 160


def packets(placing: Placing, numbers: list[int], stamps: list[int | None] | None = None) -> list[int]:
    """Place packets that come in time; return what is missing before each."""
    given = stamps or [number * PACKET for number in numbers]
    pairs = zip(numbers, given, strict=True)
    return [placing.missing_before(stamp, PACKET, (number + 1) * PACKET / RATE) for number, stamp in pairs]


def test_packets_that_follow_one_another_have_no_gap() -> None:
    placing = Placing(RATE)
    assert packets(placing, list(range(50))) == [0] * 50
    assert placing.index == 50 * PACKET


def test_a_gap_is_as_long_as_what_was_lost() -> None:
    placing = Placing(RATE)
    missing = packets(placing, [0, 1, 2, 150, 151, 153])
    assert missing == [0, 0, 0, 147 * PACKET, 0, PACKET]
    assert placing.index == 154 * PACKET


@pytest.mark.parametrize("jump_s", [3_600.0, -3_600.0, 30.0, -1.0])
def test_a_clock_that_is_set_makes_no_gap(jump_s: float) -> None:
    placing = Placing(RATE)
    jump = round(jump_s * RATE)
    stamps: list[int | None] = [n * PACKET + (jump if n >= 100 else 0) for n in range(200)]
    assert packets(placing, list(range(200)), stamps) == [0] * 200
    assert packets(placing, [203], [203 * PACKET + jump]) == [3 * PACKET]


def test_packets_without_stamps_follow_one_another() -> None:
    placing = Placing(RATE)
    assert packets(placing, [0, 1, 2], [0, None, None]) == [0, 0, 0]
    assert packets(placing, [5]) == [2 * PACKET]


def test_loss_that_is_known_otherwise_counts_unless_the_stamps_tell_better() -> None:
    placing = Placing(RATE)
    packets(placing, list(range(10)))
    assert placing.missing_before(10 * PACKET, PACKET, 8.0, lost=56_000) == 56_000
    assert placing.missing_before(11 * PACKET, PACKET, 8.02) == 0  # the camera's clock stood still meanwhile
    assert placing.missing_before(12 * PACKET + 80_000, PACKET, 18.04, lost=79_000) == 80_000


@pytest.mark.parametrize(
    ("rate_hz", "frames", "resolution"), [(8_000, 160, 1), (48_000, 960, 48), (44_100, 1_024, 44)]
)
def test_an_hour_with_one_percent_lost_is_placed_to_50_ms(rate_hz: int, frames: int, resolution: int) -> None:
    """Stamps may be rounded to milliseconds, packets may be late, and the sender's clock may be 100 ppm off."""
    rng, placing, worst_s, worst_time_s = np.random.default_rng(1), Placing(rate_hz), 0.0, 0.0
    counted = 0
    count = 3_600 * rate_hz // frames
    arrivals = np.arange(1, count + 1) * frames / rate_hz * (1 - 1e-4) + rng.uniform(0, 0.1, count)
    heard = np.flatnonzero(rng.random(count) >= 0.01)
    for packet in heard:
        stamp = round(int(packet) * frames / resolution) * resolution
        counted += placing.missing_before(stamp, frames, float(arrivals[packet]))
        worst_s = max(worst_s, abs(placing.index - (int(packet) + 1) * frames) / rate_hz)
        if arrivals[packet] > ANCHOR_WINDOW_S:
            at_once = (int(packet) + 1) * frames / rate_hz * (1 - 1e-4)  # as if the network took no time
            worst_time_s = max(worst_time_s, abs(placing.arrival.captured_at(placing.index) - at_once))
    lost = int(heard[-1] - heard[0]) + 1 - len(heard)
    assert abs(counted - lost * frames) <= frames
    assert worst_s < 0.05
    assert worst_time_s < 0.05


def test_drift_between_stamps_and_frames_makes_no_gap() -> None:
    placing = Placing(RATE)
    stamps: list[int | None] = [round(n * PACKET * 1.0003) for n in range(20_000)]
    assert sum(packets(placing, list(range(20_000)), stamps)) == 0


def test_sound_is_timed_by_its_least_delay() -> None:
    rng, clock = np.random.default_rng(2), ArrivalClock(RATE)
    for n in range(1, 2_000):
        clock.note(n * PACKET, 100.0 + n * PACKET / RATE + rng.uniform(0.01, 0.3))
    assert clock.captured_at(1_999 * PACKET) == pytest.approx(100.0 + 1_999 * PACKET / RATE + 0.01, abs=0.01)


def test_a_sender_whose_clock_is_slow_is_followed() -> None:
    clock = ArrivalClock(RATE)
    for n in range(1, 100_000):
        clock.note(n * PACKET, n * PACKET / RATE * 1.001)
    late_s = 99_999 * PACKET / RATE * 1.001 - clock.captured_at(99_999 * PACKET)
    assert late_s <= 2 * ANCHOR_WINDOW_S * 0.001 + 0.001


def looks(watch: PauseWatch, arrivals: dict[int, int], until: int, full: int | None = None) -> dict[int, int]:
    """Look every 10 ms at what has come by then, and read it; return what was lost, by the number of the look."""
    waiting, lost = 0, {}
    for look in range(until):
        waiting += arrivals.get(look, 0)
        missing = watch.lost(waiting, full is not None and waiting >= full, look / 100)
        if missing is not None:
            waiting = 0
            if missing:
                lost[look] = missing
    return lost


def test_sound_that_never_came_is_lost_where_it_is_missing() -> None:
    arrivals = {n: 80 for n in range(1_200) if not 300 <= n < 1_000}
    lost = looks(PauseWatch(RATE, 0.0), arrivals, 1_200)
    assert list(lost) == [1_030]
    assert lost[1_030] == pytest.approx(7 * RATE, abs=0.02 * RATE)


def test_sound_that_comes_late_is_not_lost() -> None:
    arrivals = {n: 80 for n in range(1_200) if not 300 <= n < 1_000} | {1_005: 700 * 80}
    assert looks(PauseWatch(RATE, 0.0), arrivals, 1_200) == {}


def test_sound_that_was_held_up_and_comes_bit_by_bit_is_not_lost() -> None:
    arrivals = {n: 80 for n in range(1_500) if not 300 <= n < 1_000}
    for n in range(1_000, 1_175):  # five times as fast as it lasts, beside what is sent meanwhile
        arrivals[n] += 4 * 80
    assert looks(PauseWatch(RATE, 0.0), arrivals, 1_500) == {}


@pytest.mark.parametrize("piece", [90, 150, 230])
def test_sound_that_comes_in_pieces_of_seconds_loses_nothing(piece: int) -> None:
    arrivals = dict.fromkeys(range(piece, 3000, piece), piece * 80)  # as the pages of Ogg do
    assert looks(PauseWatch(RATE, 0.0), arrivals, 3_000) == {}


def test_a_full_pipe_says_nothing_of_a_loss() -> None:
    arrivals = {n: 80 for n in range(1_200) if not 300 <= n < 1_000} | {1_005: 300 * 80}
    assert looks(PauseWatch(RATE, 0.0), arrivals, 1_200, full=300 * 80) == {}


def test_an_unsteady_network_loses_nothing() -> None:
    rng = np.random.default_rng(3)
    arrivals: dict[int, int] = {}
    for n in range(3_000):
        late = n + int(rng.integers(0, 90))
        arrivals[late] = arrivals.get(late, 0) + 80
    assert looks(PauseWatch(RATE, 0.0), arrivals, 3_100) == {}


def test_storage_is_faster_than_its_sound_lasts() -> None:
    recording, live, station = Pace(0.0), Pace(0.0), Pace(0.0)
    for look in range(1, 1_000):
        now = look / 100
        recording.note(min(5.0 * now, 40.0), False, now)
        live.note(now, False, now)
        station.note(10.0 + now, False, now)  # begins with the last ten seconds
        if now == 2.0:
            assert (recording.is_fast, live.is_fast, station.is_fast) == (True, False, True)
    assert not live.is_fast
    assert not station.is_fast


def test_a_reader_that_sets_the_pace_reads_from_storage() -> None:
    pace = Pace(0.0)
    for look in range(1, 1_000):
        pace.note(2.0 + look / 100, look % 3 > 0, look / 100)
    assert pace.is_fast


def test_many_looks_at_an_opening_do_not_outweigh_a_reader_that_sets_the_pace() -> None:
    pace = Pace(0.0)
    for look in range(500):
        pace.note(look / 10_000, False, look / 10_000)
    for read in range(1, 100):
        pace.note(0.2 + read / 10, True, read / 10)
        assert pace.is_fast


def test_a_reader_that_is_late_once_does_not_make_a_stream_a_recording() -> None:
    pace = Pace(0.0)
    for look in range(1, 1_000):
        pace.note(look / 100, 500 <= look < 540, look / 100)
        assert not pace.is_fast


def test_a_suspended_machine_does_not_make_a_recording_of_live_sound() -> None:
    pace = Pace(0.0)
    for look in range(100):
        pace.note(look / 10, False, look / 10)
    pace.note(13.0, True, 15.0)  # 5 s without a look: the pipe is full, and what it does not hold comes late
    for look in range(100):
        pace.note(15.0 + look / 10, False, 15.0 + look / 10)
        assert not pace.is_fast


def test_live_sound_that_a_network_held_back_makes_no_recording() -> None:
    pace = Pace(0.0)
    for look in range(400):
        arrived_s = 5.0 if 50 <= look < 150 else look / 10  # a pause of 10 s, and then all at once
        pace.note(arrived_s, False, look / 10)
        assert not pace.is_fast


@pytest.mark.parametrize("suspended_s", [5.0, 3_600.0])
@pytest.mark.parametrize("is_full", [True, False])
def test_a_suspended_machine_does_not_make_live_sound_of_a_recording(
    suspended_s: float, is_full: bool
) -> None:
    pace = Pace(0.0)
    pace.note(10.0, False, 0.1)
    came_s = 16.0 if is_full else 10.0
    pace.note(came_s, is_full, 0.1 + suspended_s)
    assert pace.is_fast
    pace.note_end(came_s + 1.0, 0.1 + 2 * suspended_s)
    assert pace.is_fast


def test_a_recording_at_twice_its_pace_that_begins_late_stays_one() -> None:
    pace = Pace(0.0)
    for look in range(300):
        now = look / 10
        pace.note(max(0.0, 2.0 * (now - 0.8)), False, now)
        assert pace.is_fast == (now >= 2.6)


def test_a_short_recording_that_ended_before_the_first_look_is_fast() -> None:
    pace = Pace(0.0)
    pace.note_end(2.0, 0.2)
    assert pace.is_fast


def test_a_window_in_which_nothing_came_tells_nothing() -> None:
    recording, live = Pace(0.0), Pace(0.0)
    for look in range(200):
        recording.note(8.0, False, look / 10)
        live.note(min(look, 60) / 10, False, look / 10)
    assert recording.is_fast
    assert not live.is_fast
