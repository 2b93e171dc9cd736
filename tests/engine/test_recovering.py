"""Test streams whose source breaks off: it is opened again, and the sample clock goes on."""

from __future__ import annotations

import itertools
import random
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from streamer.config import Config
from streamer.config_sections import EngineConfig
from streamer.engine.backoff import FIRST_WAIT_S, wait_s
from streamer.engine.phases import Ended
from streamer.engine.stream import Stream
from streamer.errors import EndedError
from streamer.events.kinds import Decision, Event, Status
from streamer.heads.head import Head
from tests.scripted import RATE, Absent, Breaking, Clock, Collected, Scripted, engine, loud, run, toy_gate


@pytest.fixture
def head(tmp_path: Path) -> Head:
    return toy_gate(tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that the engine's rests move too, but for those while a source is being opened on a thread."""
    clock = Clock()

    def rest(seconds: float) -> None:
        if any(thread.name == "opening" for thread in threading.enumerate()):
            time.sleep(0.001)
        else:
            clock.now += seconds

    monkeypatch.setattr("streamer.engine.engine.time", SimpleNamespace(sleep=rest))
    return clock


def configured(stream: Stream, **engine_settings: object) -> Stream:
    stream.config = Config(engine=EngineConfig(**engine_settings))  # type: ignore[arg-type]
    return stream


def statuses(sink: Collected, stream: str = "s") -> list[Status]:
    return [event for event in sink.of("status", stream) if isinstance(event, Status)]


def test_a_live_source_that_breaks_off_is_opened_again(head: Head, clock: Clock) -> None:
    source = Breaking(loud(30), clock, {4 * RATE: 2})
    stream = Stream("s", source, duration_s=20.0)
    sink = run(head, [stream], clock)
    away_s = source.opened_at[-1] - source.opened_at[0] - 4.0
    assert len(source.opened_at) == 4
    assert 3.0 <= away_s <= 5.0  # 0.5, 1 and 2 s, more or less
    assert stream.error is None
    assert stream.position_s == 20.0
    assert stream.dropped_samples / RATE == pytest.approx(away_s, abs=0.1)
    heard = [event for event in sink.of("level") if event.epoch == 1]
    assert heard[0].start / RATE == pytest.approx(4.0 + away_s, abs=0.1)
    # Stamps and times agree across the outage.
    first, last = sink.of("level")[0], sink.of("level")[-1]
    assert first.time is not None
    assert last.time is not None
    passed_s = (last.time - first.time).total_seconds()
    assert passed_s == pytest.approx((last.stop - first.stop) / RATE, abs=0.01)


def test_what_a_station_sends_again_after_an_outage_is_not_heard_again(head: Head, clock: Clock) -> None:
    burst_s = 4.0

    class Station(Breaking):
        """A station that begins with the last seconds that it has sent."""

        def open(self) -> None:
            super().open()
            self._opened_at -= burst_s

        def skip(self, frames: int) -> int:
            return 0

    source = Station(loud(90), clock, {n * 10 * RATE: 0 for n in range(1, 6)})
    stream = Stream("s", source, duration_s=40.0)
    sink = run(head, [stream], clock)
    assert len(source.opened_at) > 3
    levels = sink.of("level")
    ahead_s = []
    for event in levels:
        assert event.time is not None
        ahead_s.append(event.stop / RATE - event.time.timestamp())
    assert max(ahead_s) - min(ahead_s) < 0.05  # index and time agree across all outages
    assert all(a.stop <= b.start for a, b in itertools.pairwise(levels))


def test_what_happened_is_told(head: Head, clock: Clock) -> None:
    stream = Stream("s", Breaking(loud(30), clock, {4 * RATE: 1}), duration_s=10.0)
    told = [status for status in statuses(run(head, [stream], clock)) if status.message]
    assert [status.state for status in told] == ["recovering", "recovering", "running"]
    assert told[0].message.startswith("scripted: the server closed the connection; it is tried again in 0.")
    assert told[1].message.startswith("scripted: connection refused; it is tried again in ")
    assert told[2].message.startswith("heard again; ")
    assert told[2].message.endswith(" s were not heard")
    assert [status.epoch for status in told] == [1, 1, 1]


def test_decisions_end_where_the_sound_broke_off(head: Head, clock: Clock) -> None:
    stream = Stream("s", Breaking(loud(30), clock, {4 * RATE: 0}), duration_s=10.0)
    sink = run(head, [stream], clock)
    changes = [event for event in sink.of("gate") if isinstance(event, Decision) and event.state != "update"]
    assert [(event.state, event.epoch) for event in changes] == [("on", 0), ("off", 0), ("on", 1), ("off", 1)]
    assert 0 <= changes[1].stop / RATE - 4.0 < 0.05


def test_a_heartbeat_goes_on_while_a_source_is_away(head: Head, clock: Clock) -> None:
    stream = Stream("s", Breaking(loud(30), clock, {4 * RATE: 4}), duration_s=20.0)
    beats = [status for status in statuses(run(head, [stream], clock)) if status.state == "recovering"]
    assert len(beats) >= 5 + 5  # five tries, and seconds in between
    assert all(0 <= beat.stop / RATE - 4.0 < 0.05 for beat in beats)


def test_other_streams_are_heard_meanwhile(head: Head, clock: Clock) -> None:
    streams = [Stream("bad", Breaking(loud(9), clock, {RATE: 99})), Stream("s", Scripted(loud(6), clock))]
    streams[0].duration_s = 5.0
    sink = run(head, streams, clock)
    assert sink.of("level")[-1].stop == 6 * RATE
    assert streams[1].dropped_samples == 0


def test_a_source_that_stays_away_has_failed_at_the_end_of_the_duration(head: Head, clock: Clock) -> None:
    stream = Stream("s", Breaking(loud(9), clock, {RATE: 99}), duration_s=60.0)
    began = clock.now
    last = statuses(run(head, [stream], clock))[-1]
    assert (last.state, last.message) == (
        "failed",
        "scripted: connection refused; it is not tried again: the 60 s of its duration are over, waiting included",
    )
    assert clock.now - began == pytest.approx(60.0, abs=1.0)


def test_without_reconnect_an_ended_stream_says_so(head: Head, clock: Clock) -> None:
    stream = configured(Stream("s", Breaking(loud(9), clock, {RATE: 0})), reconnect=False)
    last = statuses(run(head, [stream], clock))[-1]
    assert (last.state, last.message) == ("ended", "scripted: the server closed the connection")
    assert isinstance(stream.error, EndedError)


def test_a_source_that_is_not_there_yet_is_waited_for_when_asked(head: Head, clock: Clock) -> None:
    source = Breaking(loud(9), clock, {})
    source._refusals = 3
    stream = configured(Stream("s", source), wait=True)
    sink = run(head, [stream], clock)
    assert [status.state for status in statuses(sink) if status.message] == ["recovering"] * 3
    assert sink.of("level")[0].start == 0
    assert (stream.error, stream.dropped_samples) == (None, 0)


def test_otherwise_a_source_that_is_not_there_has_failed(head: Head, clock: Clock) -> None:
    stream = Stream("s", Absent(loud(1), clock))
    assert statuses(run(head, [stream], clock))[-1].state == "failed"


def test_another_rate_after_the_outage_keeps_the_time(head: Head, clock: Clock) -> None:
    class Changing(Breaking):
        def open(self) -> None:
            super().open()
            self.rate_hz = RATE if len(self.opened_at) == 1 else RATE // 2

        def _waiting(self) -> int:
            due = round((self._clock() - self._opened_at) * self.rate_hz)
            return min(due, len(self._sound)) - self._position

        def read(self, max_frames: int) -> object:  # type: ignore[override]
            block = super().read(max_frames)
            at = self._opened_at + self._position / self.rate_hz
            return block and type(block)(block.start, block.samples, at)

    source = Changing(loud(30), clock, {4 * RATE: 0})
    stream = Stream("s", source, duration_s=10.0)
    sink = run(head, [stream], clock)
    levels = sink.of("level")
    assert {(event.epoch, event.rate) for event in levels} == {(0, RATE), (1, RATE // 2)}
    first, last = levels[0], levels[-1]
    assert first.time is not None
    assert last.time is not None
    passed_s = (last.time - first.time).total_seconds()
    assert passed_s == pytest.approx(last.stop / last.rate - first.stop / first.rate, abs=0.01)


def test_a_stop_while_a_source_is_away_is_no_failure(head: Head, clock: Clock) -> None:
    stop = threading.Event()

    class StopsThen(Collected):
        def send(self, event: Event) -> None:
            super().send(event)
            if isinstance(event, Status) and event.state == "recovering":
                stop.set()

    sink, source = StopsThen(), Breaking(loud(9), clock, {RATE: 99})
    stream = Stream("s", source)
    engine(head, [stream], [sink], clock=clock).run(stop)
    assert isinstance(stream.phase, Ended)
    assert (stream.error, statuses(sink)[-1].state) == (None, "ended")


def test_waits_grow_to_a_bound_with_jitter() -> None:
    chance = random.Random(1)
    waits = [wait_s(tries, 30.0, chance) for tries in range(12)]
    assert all(0.75 * FIRST_WAIT_S * 2**n <= min(wait, 22.5) for n, wait in enumerate(waits[:6]))
    assert all(22.5 <= wait <= 30.0 for wait in waits[7:])
    assert len(set(waits[7:])) > 1
    assert wait_s(10**9, 30.0, chance) <= 30.0


def test_a_source_that_breaks_off_at_once_is_tried_less_and_less_often(head: Head, clock: Clock) -> None:
    source = Breaking(loud(90), clock, {n * RATE: 0 for n in range(1, 6)})
    run(head, [Stream("s", source, duration_s=40.0)], clock)
    apart = [b - a for a, b in zip(source.opened_at, source.opened_at[1:], strict=False)]
    assert apart[4] > 4 * apart[0]


def test_a_device_of_this_machine_is_tried_again_soon(head: Head, clock: Clock) -> None:
    source = Breaking(loud(90), clock, {RATE: 9})
    source.longest_wait_s = 2.0
    run(head, [Stream("s", source, duration_s=40.0)], clock)
    waits = [b - a for a, b in zip(source.opened_at, source.opened_at[1:], strict=False)]
    assert max(waits) < 2.5
