"""What was heard is divided by the hours of the local time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from streamer.history.hours import LabelHour, by_hour
from streamer.history.reader import HeardMinute, Stretch, Wanted
from tests.history.made_events import NOON_S

HOUR_S = 3_600.0
WANTED = Wanted(NOON_S, NOON_S + 3 * HOUR_S)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sets no zone by TZ")


@pytest.fixture(autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the local time to that of the test's zone, or to UTC."""
    monkeypatch.setenv("TZ", getattr(request, "param", "UTC"))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def stretch(began_s: float, ended_s: float, label: str = "music") -> Stretch:
    return Stretch("mic", "gate", label, NOON_S + began_s, NOON_S + ended_s, 0.9)


def heard(hour: int, minutes: int = 60) -> list[HeardMinute]:
    first = int(NOON_S // 60) + 60 * hour
    return [HeardMinute("mic", first + n, 60.0) for n in range(minutes)]


def test_a_stretch_counts_in_each_hour_that_it_reaches_into() -> None:
    found = by_hour(WANTED, [stretch(1_800, 2 * HOUR_S + 900)], [*heard(0), *heard(1), *heard(2, minutes=30)])
    assert found == [
        LabelHour("mic", "gate", "music", NOON_S, 1_800, 3_600),
        LabelHour("mic", "gate", "music", NOON_S + HOUR_S, 3_600, 3_600),
        LabelHour("mic", "gate", "music", NOON_S + 2 * HOUR_S, 900, 1_800),
    ]
    assert [each.share for each in found] == [0.5, 1.0, 0.5]


def test_what_lies_outside_does_not_count_and_the_longest_comes_first() -> None:
    given = [stretch(-500, 100), stretch(200, 500, "speech"), stretch(3 * HOUR_S - 10, 4 * HOUR_S, "speech")]
    found = by_hour(WANTED, given, heard(0))
    assert [(each.label, each.began_s - NOON_S, each.seconds) for each in found] == [
        ("speech", 0, 300),
        ("music", 0, 100),
        ("speech", 2 * HOUR_S, 10),
    ]
    assert found[2].share == 0.0  # of that hour nothing is known to have been heard


@pytest.mark.parametrize("zone", ["Asia/Kolkata"], indirect=True)
def test_hours_are_those_of_the_local_time(zone: None) -> None:
    """In India noon of UTC is half past five."""
    found = by_hour(WANTED, [stretch(0, HOUR_S)], heard(0))
    assert [(each.began_s - NOON_S, each.seconds, each.heard_s) for each in found] == [
        (-1_800, 1_800, 1_800),
        (1_800, 1_800, 1_800),
    ]


def test_without_stretches_there_are_no_hours() -> None:
    assert by_hour(WANTED, [], heard(0)) == []
