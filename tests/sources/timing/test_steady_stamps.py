"""Test that single time stamps which run ahead make no gap, and that real gaps remain."""

from __future__ import annotations

import pytest

from streamer.sources.timing.placing import Placing
from streamer.sources.timing.steady_stamps import SteadyStamps

RATE = 44_100
VORBIS = [1_024] * 8 + [576, 128, 128, 128, 576] + [1_024] * 8
"""Lengths of packets of Vorbis, with a run of short blocks."""
LATE = 8
"""Number of the packet at which long blocks give way to short ones."""


def stamps_of(lengths: list[int]) -> list[int]:
    return [sum(lengths[:n]) for n in range(len(lengths))]


def missing(stamps: list[int | None], lengths: list[int]) -> list[int]:
    """Return the frames that are missing before each packet."""
    steady, placing = SteadyStamps(RATE), Placing(RATE)
    pairs = zip(stamps, lengths, strict=True)
    parts = [part for stamp, frames in pairs for part in steady.note(stamp, frames)] + steady.rest()
    return [placing.missing_before(part.stamp, part.frames, now=n) for n, part in enumerate(parts)]


@pytest.mark.parametrize("late_by", [448, 896, 100_000])
def test_one_stamp_that_runs_ahead_makes_no_gap(late_by: int) -> None:
    stamps: list[int | None] = list(stamps_of(VORBIS))
    stamps[LATE] = stamps_of(VORBIS)[LATE] + late_by
    assert missing(stamps, VORBIS) == [0] * len(VORBIS)


@pytest.mark.parametrize("late_by", [0, 448])
def test_a_gap_has_its_true_length_and_place_even_at_such_a_stamp(late_by: int) -> None:
    lost = 5_000
    stamps: list[int | None] = [
        stamp + (lost if n >= LATE else 0) for n, stamp in enumerate(stamps_of(VORBIS))
    ]
    stamps[LATE] = stamps_of(VORBIS)[LATE] + lost + late_by
    assert missing(stamps, VORBIS) == [0] * LATE + [lost] + [0] * (len(VORBIS) - LATE - 1)


def test_gaps_on_both_sides_of_a_packet_remain() -> None:
    stamps: list[int | None] = [0, 1_000, 3_000, 5_000, 6_000]
    assert missing(stamps, [1_000] * 5) == [0, 0, 1_000, 1_000, 0]


def test_a_gap_before_the_last_packet_remains() -> None:
    assert missing([0, 1_000, 5_000], [1_000] * 3) == [0, 0, 3_000]


def test_a_clock_that_is_set_back_after_a_gap_does_not_undo_it() -> None:
    stamps: list[int | None] = [50_000, 51_000, 55_000, 0, 1_000]
    assert missing(stamps, [1_000] * 5) == [0, 0, 3_000, 0, 0]


def test_packets_without_a_stamp_follow_those_before() -> None:
    assert missing([0, 1_000, None, 3_000, 6_000, None], [1_000] * 6) == [0, 0, 0, 0, 2_000, 0]


def test_a_jump_is_passed_on_with_the_packet_that_follows_it() -> None:
    steady = SteadyStamps(RATE)
    assert len(steady.note(0, 1_000)) == 1
    assert steady.note(5_000, 1_000) == []
    assert [part.stamp for part in steady.note(6_000, 1_000)] == [5_000, 6_000]
    assert steady.rest() == []
