"""Test that the clock of an HLS stream is kept right."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from streamer.sources.network.hls_clock import REFRESH_S, THREAD, TOLERANCE_S, HlsClock
from streamer.sources.network.hls_dates import HlsDates

NOON = 1_769_860_800.0


class Published(HlsDates):
    """Dates of pieces of 2 s, of which the newest is in the playlist when that is read."""

    def __init__(self) -> None:
        super().__init__("http://h/live.m3u8")
        self.newest, self.reads, self.ahead_s = 0, 0, 0.0
        self._known: dict[str, float] = {}

    def read(self) -> None:
        self.reads += 1
        self._known = {f"{self.newest}.ts": NOON + 2 * self.newest + 2 + self.ahead_s}

    def last(self, opened: Sequence[str]) -> tuple[str, float | None]:
        return opened[-1], self._known.get(opened[-1])


class Stream:
    """A stream whose pieces come every 2 s; nothing comes between them."""

    def __init__(self) -> None:
        self.now, self.dates, self.zero_at = 0.0, Published(), NOON
        self.clock = HlsClock(self.dates, lambda: self.now)

    def hear(self, missing_s: float = 0.0) -> float | None:
        """Hear the next piece, but for its last `missing_s`."""
        self.dates.newest += 1
        self.now += 2.0
        for _ in range(2):
            opened, stop_s = [f"{self.dates.newest}.ts"], 2.0 * self.dates.newest + 2.0 - missing_s
            found = self.clock.corrected(opened, stop_s, self.zero_at)
            for thread in threading.enumerate():
                if thread.name == THREAD:
                    thread.join()
            self.zero_at = found if found is not None else self.zero_at
        return found


@pytest.fixture
def stream() -> Stream:
    return Stream()


def test_playlists_are_read_once_in_a_while(stream: Stream) -> None:
    for _ in range(100):
        assert stream.hear() == NOON
    assert stream.dates.reads == 200 // int(REFRESH_S)


@pytest.mark.parametrize("ahead_s", [1.0, -1.0, 30.0])
def test_what_two_pieces_say_is_believed(stream: Stream, ahead_s: float) -> None:
    stream.dates.ahead_s = ahead_s
    heard = [stream.hear() for _ in range(40)]
    changed = next(n for n, zero_at in enumerate(heard) if zero_at != NOON)
    assert heard[changed:] == [NOON + ahead_s] * (40 - changed)
    assert stream.now >= REFRESH_S
    assert stream.dates.reads == 2


def test_a_small_difference_is_left(stream: Stream) -> None:
    stream.dates.ahead_s = TOLERANCE_S - 0.01
    assert {stream.hear() for _ in range(100)} == {NOON}


def test_a_piece_that_has_not_come_whole_says_nothing(stream: Stream) -> None:
    found = [stream.hear(missing_s=1.5 if n == 29 else 0.0) for n in range(40)]
    assert set(found) == {NOON}
    assert stream.dates.reads == 2  # the second for the piece behind


def test_a_clock_that_is_not_known_is_found(stream: Stream) -> None:
    stream.dates.newest = 5
    clock, dates = stream.clock, stream.dates
    found = []
    for number in (6, 7, 8):
        dates.newest = number
        for _ in range(2):
            found.append(clock.corrected([f"{number}.ts"], 2.0 * number, None))
            for thread in threading.enumerate():
                if thread.name == THREAD:
                    thread.join()
    assert found[:3] == [None, None, None]
    assert found[3] == NOON + 2
