"""Test the engine with scripted sources and clock: lag, losses, numbering, and an orderly end."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from streamer.config import Config
from streamer.config_sections import EngineConfig, PublishConfig
from streamer.engine.engine import BACKLOG_KEPT_S
from streamer.engine.stream import Stream
from streamer.events.kinds import Decision, Event, Level, Status
from streamer.heads.head import Head
from streamer.sources.source import Block
from tests.scripted import RATE, TENTHS, Clock, Collected, Scripted, Slow, engine, loud, run, toy_gate


@pytest.fixture
def head(tmp_path: Path) -> Head:
    return toy_gate(tmp_path)


def test_lag_is_bounded_and_loss_is_told(head: Head) -> None:
    clock = Clock()
    source = Scripted(loud(12), clock)
    source.freeze_at = {4 * RATE: 5.0}
    stream = Stream("s", source)
    config = Config(engine=EngineConfig(max_lag_ms=500))
    sink = run(head, [stream], clock, config)
    lost_s = 5.02 - BACKLOG_KEPT_S
    assert stream.dropped_samples == pytest.approx(lost_s * RATE, abs=0.05 * RATE)
    told = [
        e
        for e in sink.of("status")
        if isinstance(e, Status) and "this machine or its sound system did not keep up" in e.message
    ]
    assert len(told) == 1
    assert f"lost {stream.dropped_samples} samples" in told[0].message
    assert told[0].epoch == 1
    assert told[0].dropped_samples == stream.dropped_samples
    late = [e.latency_ms for e in sink.of("level") if e.start > 10 * RATE]
    assert late
    assert max(x for x in late if x is not None) < 250
    decisions = [
        (e.state, e.epoch) for e in sink.of("gate") if isinstance(e, Decision) and e.state != "update"
    ]
    assert decisions == [("on", 0), ("off", 0), ("on", 1), ("off", 1)]


class Choosy(Collected):
    """A sink that wants levels for some time only, in seconds on the clock, and no other running values."""

    def __init__(self, clock: Clock, first_s: float, last_s: float) -> None:
        super().__init__()
        self._clock, self._first, self._last = clock, clock() + first_s, clock() + last_s

    def wants(self, kind: str) -> bool:
        return kind == "level" and self._first <= self._clock() < self._last


def test_running_values_that_no_sink_wants_are_not_made_and_have_numbers(head: Head) -> None:
    whole = run(head, [Stream("s", Scripted(loud(5), clock := Clock()))], clock)
    clock = Clock()
    sink = Choosy(clock, 2.0, 4.0)
    engine(head, [Stream("s", Scripted(loud(5), clock))], [sink], TENTHS, clock).run(threading.Event())
    levels = sink.of("level")
    assert [event.seq for event in levels] == list(range(levels[0].seq, levels[-1].seq + 1))
    assert 2.0 <= levels[0].stop / RATE <= 2.2
    assert 3.8 <= levels[-1].stop / RATE <= 4.2
    assert not sink.of("scores")

    def untimed(events: list[Event]) -> list[Event]:
        return [replace(event, time=None) for event in events]

    assert untimed(levels) == untimed(whole.of("level")[levels[0].seq : levels[-1].seq + 1])
    assert untimed(sink.of("gate")) == untimed(whole.of("gate"))


def test_numbers_of_what_is_not_made_count_on_over_a_loss(head: Head) -> None:
    """A stream that starts anew keeps its numbers, and a subscriber that comes then sees them go on."""
    clocks = Clock(), Clock()
    sources = [Scripted(loud(8), clock) for clock in clocks]
    for source in sources:
        source.freeze_at = {3 * RATE: 3.0}
    sinks = Collected(), Choosy(clocks[1], 7.0, 100.0)
    for clock, source, sink in zip(clocks, sources, sinks, strict=True):
        engine(head, [Stream("s", source)], [sink], TENTHS, clock).run(threading.Event())
    told = [[(e.seq, e.epoch, e.start, e.stop) for e in sink.of("level")] for sink in sinks]
    assert told[1]
    assert told[1][0][1] == 1
    assert told[1] == told[0][-len(told[1]) :]


def test_what_one_sink_wants_all_get(head: Head) -> None:
    clock = Clock()
    choosy, other = Choosy(clock, 0.0, 0.0), Collected()
    engine(head, [Stream("s", Scripted(loud(1), clock))], [choosy, other], TENTHS, clock).run(
        threading.Event()
    )
    assert choosy.of("level") == other.of("level")
    assert len(other.of("level")) == len(other.of("scores")) == 10


def test_overruns_of_the_device_are_counted_and_told(head: Head) -> None:
    clock = Clock()
    source = Scripted(loud(3), clock)
    source.overruns_at = {RATE: 2}
    stream = Stream("s", source)
    sink = run(head, [stream], clock)
    assert stream.overruns == 2
    assert any(
        isinstance(e, Status) and "the device reported 2 overruns" in e.message for e in sink.of("status")
    )
    last = sink.of("status")[-1]
    assert isinstance(last, Status)
    assert (last.state, last.overruns, last.epoch) == ("ended", 2, 0)


def test_messages_are_numbered_by_topic_and_timed_by_the_sound(head: Head) -> None:
    clock = Clock()
    sink = run(head, [Stream("s", Scripted(loud(3), clock)), Stream("t", Scripted(loud(3), clock))], clock)
    for kind in ("level", "scores", "gate", "status"):
        for stream in ("s", "t"):
            assert [e.seq for e in sink.of(kind, stream)] == list(range(len(sink.of(kind, stream))))
    first, *_, last = [e for e in sink.of("level") if isinstance(e, Level)]
    assert first.time is not None
    assert last.time is not None
    assert (last.time - first.time).total_seconds() == pytest.approx(
        (last.stop - first.stop) / RATE, abs=1e-5
    )
    assert all(e.latency_ms is not None and 0 <= e.latency_ms < 250 for e in sink.of("scores"))


def test_heartbeat_comes_at_its_interval(head: Head) -> None:
    clock = Clock()
    config = Config(publish=PublishConfig(heartbeat_s=0.5))
    sink = run(head, [Stream("s", Scripted(loud(5), clock))], clock, config)
    beats = [e for e in sink.of("status") if isinstance(e, Status) and e.state == "running"]
    uptimes = [e.uptime_s for e in beats]
    assert 9 <= len(beats) <= 12
    assert max(b - a for a, b in pairwise(uptimes)) < 0.6
    assert beats[-1].versions["gate"].startswith("toy@")


def test_duration_ends_a_stream_to_the_sample(head: Head) -> None:
    clock = Clock()
    stream = Stream("s", Scripted(loud(5), clock), duration_s=1.2345)
    run(head, [stream], clock)
    assert stream.position_samples == round(1.2345 * RATE)


@pytest.mark.parametrize(("lag_ms", "drops"), [(500, False), (501, True)])
def test_a_lag_as_long_as_it_may_be_drops_nothing(head: Head, lag_ms: int, drops: bool) -> None:
    clock = Clock()
    source = Scripted(loud(3), clock)  # each look takes 20 ms
    source.freeze_at = {RATE: (lag_ms - 20) / 1_000}
    stream = Stream("s", source)
    run(head, [stream], clock, Config(engine=EngineConfig(max_lag_ms=500)))
    assert (stream.dropped_samples > 0) is drops


def test_the_least_lag_that_can_be_asked_for_never_goes_back(head: Head) -> None:
    clock = Clock()
    source = Scripted(loud(3), clock)
    source.freeze_at = {RATE: 0.8}
    stream = Stream("s", source)
    sink = run(head, [stream], clock, Config(engine=EngineConfig(max_lag_ms=50)))
    assert stream.dropped_samples == pytest.approx((0.82 - 0.05) * RATE, abs=0.01 * RATE)
    starts = [e.start for e in sink.of("level")]
    assert starts == sorted(starts)


def test_a_source_that_opens_slowly_holds_up_no_other(head: Head) -> None:
    clock = Clock()
    slow = Slow(loud(1), clock)

    class LetsAfter(Collected):
        def send(self, event: Event) -> None:
            super().send(event)
            if isinstance(event, Status) and (event.stream, event.state) == ("s", "ended"):
                slow.let.set()

    sink = LetsAfter()
    streams = [Stream("slow", slow), Stream("s", Scripted(loud(2), clock))]
    engine(head, streams, [sink], clock=clock).run(threading.Event())
    assert sink.of("level")[-1].stop == 2 * RATE
    assert sink.of("level", "slow")[-1].stop == RATE


def test_sinks_are_served_while_nothing_is_heard(head: Head) -> None:
    class Counting(Collected):
        served = 0

        def service(self) -> None:
            self.served += 1

    clock, sink = Clock(), Counting()
    engine(head, [Stream("s", Scripted(loud(1), clock))], [sink], clock=clock).run(threading.Event())
    assert sink.served >= 40  # a second in steps of 20 ms


def test_being_told_to_stop_closes_decisions_sources_and_sinks(head: Head) -> None:
    clock = Clock()
    source = Scripted(loud(100), clock)
    stop = threading.Event()

    class StopsAt(Collected):
        def send(self, event: Event) -> None:
            super().send(event)
            if event.stop >= 2 * RATE:
                stop.set()

    sink = StopsAt()
    engine(head, [Stream("s", source)], [sink], clock=clock).run(stop)
    assert [e.state for e in sink.of("gate") if isinstance(e, Decision)][-1] == "off"
    last = sink.events[-1]
    assert isinstance(last, Status)
    assert last.state == "ended"
    assert (source.closed, sink.closed) == (1, 1)


def test_another_microphone_begins_a_new_epoch_without_a_gap_and_is_said(head: Head) -> None:
    class Moved(Scripted):
        """A source that hears another microphone from one second on."""

        def read(self, max_frames: int) -> Block | None:
            before = self._position
            block = super().read(max_frames)
            moves = block is not None and before < RATE <= block.stop
            return replace(block, change="usb is heard from here on") if block and moves else block

    clock = Clock()
    stream = Stream("s", Moved(loud(3), clock))
    sink = run(head, [stream], clock)
    levels = sink.of("level")
    assert {event.epoch for event in levels} == {0, 1}
    first = next(event for event in levels if event.epoch == 1)
    told = [e for e in sink.of("status") if isinstance(e, Status) and e.message]
    assert [(e.epoch, e.message) for e in told] == [(1, "usb is heard from here on")]
    assert first.start <= RATE <= told[0].stop
    assert stream.dropped_samples == 0
    decisions = [(e.state, e.epoch) for e in sink.of("gate") if isinstance(e, Decision)]
    assert decisions[:3] == [("on", 0), ("off", 0), ("on", 1)]
