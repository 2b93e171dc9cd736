"""The engine: turns, lag, losses, failures, numbering, and a clean end — with scripted sources and clock."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from streamer.config import Config, EngineConfig, PublishConfig
from streamer.decisions import DecisionConfig
from streamer.engine import Engine
from streamer.errors import DeviceError, StreamError
from streamer.events import Decision, Event, Level, Status
from streamer.heads import Head
from streamer.inference.onnx import OnnxModel
from streamer.sinks.sink import Sink
from streamer.sources.source import Block, Source, SourceCounts
from streamer.stage import Array
from streamer.stream import Stream
from tests.toy_model import write_toy_model

RATE = 16_000


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Scripted(Source):
    """Live sound that falls due with the clock, each read taking `step_s` of it."""

    def __init__(self, sound: Array, clock: Clock, step_s: float = 0.02) -> None:
        self.rate_hz, self.channels = RATE, 1
        self._sound, self._clock, self._step_s = sound, clock, step_s
        self._position = 0
        self._opened_at = 0.0
        self.freeze_at: dict[int, float] = {}
        self.overruns_at: dict[int, int] = {}
        self.fail_at = 2**60
        self.overruns = 0
        self.closed = 0

    def open(self) -> None:
        self._opened_at = self._clock()

    def read(self, max_frames: int) -> Block | None:
        self._clock.now += self._step_s
        for table in (self.freeze_at, self.overruns_at):
            for at in [at for at in table if at <= self._position]:
                if table is self.freeze_at:
                    self._clock.now += table.pop(at)
                else:
                    self.overruns += int(table.pop(at))
        if self._position >= self.fail_at:
            raise StreamError("scripted: the device was unplugged; plug it in and listen again")
        stop = min(self._position + max_frames, self._position + self.backlog_frames())
        if stop <= self._position:
            return None
        start, self._position = self._position, stop
        return Block(start, self._sound[start:stop], self._opened_at + stop / RATE)

    def backlog_frames(self) -> int:
        due = round((self._clock() - self._opened_at) * RATE)
        return min(due, len(self._sound)) - self._position

    def skip(self, frames: int) -> int:
        self._position += frames
        return frames

    @property
    def ended(self) -> bool:
        return self._position >= len(self._sound)

    @property
    def counts(self) -> SourceCounts:
        return SourceCounts(overruns=self.overruns)

    def close(self) -> None:
        self.closed += 1


class Absent(Scripted):
    def open(self) -> None:
        raise DeviceError("no input device 'x'; see `streamer devices`")


class Collected(Sink):
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = 0

    def open(self) -> None:
        pass

    def send(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1

    def of(self, kind: str, stream: str = "s") -> list[Event]:
        return [e for e in self.events if e.kind == kind and e.stream == stream]


@pytest.fixture
def head(tmp_path: Path) -> Head:
    config = DecisionConfig(min_on_ms=100, min_off_ms=100)
    return Head("gate", "gate", OnnxModel(write_toy_model(tmp_path / "toy")), config)


def loud(seconds: float) -> Array:
    return np.random.default_rng(3).normal(0, 0.2, (round(seconds * RATE), 1)).astype(np.float32)


def run(head: Head, streams: list[Stream], clock: Clock, config: Config = Config()) -> Collected:
    sink = Collected()
    Engine(streams, [head], [sink], config, versions={"streamer": "x"}, clock=clock).run(threading.Event())
    return sink


def test_lag_is_bounded_and_loss_is_told(head: Head) -> None:
    clock = Clock()
    source = Scripted(loud(12), clock)
    source.freeze_at = {4 * RATE: 5.0}
    stream = Stream("s", source)
    config = Config(engine=EngineConfig(max_lag_ms=500))
    sink = run(head, [stream], clock, config)
    assert (
        4.8 * RATE <= stream.dropped_samples <= 4.85 * RATE
    )  # 5.02 s but for a chunk heard and a chunk kept
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


def test_a_failing_stream_ends_alone(head: Head) -> None:
    clock = Clock()
    bad, good = Scripted(loud(4), clock), Scripted(loud(4), clock)
    bad.fail_at = RATE
    streams = [Stream("bad", bad), Stream("absent", Absent(loud(1), clock)), Stream("s", good)]
    sink = run(head, streams, clock)
    assert [stream.error is not None for stream in streams] == [True, True, False]
    failed = [e for e in sink.events if isinstance(e, Status) and e.state == "failed"]
    assert {e.stream: e.message for e in failed} == {
        "absent": "no input device 'x'; see `streamer devices`",
        "bad": "scripted: the device was unplugged; plug it in and listen again",
    }
    assert [(e.stop, e.rate) for e in sink.of("status", "absent")] == [
        (0, 1)
    ]  # so that time can be told of it
    assert [e.state for e in sink.of("gate", "bad") if isinstance(e, Decision)][-1] == "off"
    assert sink.of("level")[-1].stop == 4 * RATE
    assert bad.closed == good.closed == 1


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


def test_utc_is_anchored_to_the_wall_clock(head: Head) -> None:
    import time

    source = Scripted(loud(1), clock := Clock())
    clock.now = time.monotonic()
    before = datetime.now(UTC)
    sink = run(head, [Stream("s", source)], clock)
    started = next(e for e in sink.of("status")).time
    assert started is not None
    assert abs((started - before).total_seconds()) < 60


def test_heartbeat_comes_at_its_interval(head: Head) -> None:
    clock = Clock()
    config = Config(publish=PublishConfig(heartbeat_s=0.5))
    sink = run(head, [Stream("s", Scripted(loud(5), clock))], clock, config)
    beats = [e for e in sink.of("status") if isinstance(e, Status) and e.state == "running"]
    uptimes = [e.uptime_s for e in beats]
    assert 9 <= len(beats) <= 12
    assert max(b - a for a, b in pairwise(uptimes)) < 0.6
    assert beats[-1].versions == {"streamer": "x"}


def test_duration_ends_a_stream_to_the_sample(head: Head) -> None:
    clock = Clock()
    stream = Stream("s", Scripted(loud(5), clock), duration_s=1.2345)
    run(head, [stream], clock)
    assert stream.last is not None
    assert stream.last.stop == round(1.2345 * RATE)


def test_the_least_lag_that_can_be_asked_for_never_goes_back(head: Head) -> None:
    clock = Clock()
    source = Scripted(loud(3), clock)
    source.freeze_at = {RATE: 0.15}
    stream = Stream("s", source)
    sink = run(head, [stream], clock, Config(engine=EngineConfig(max_lag_ms=50)))
    assert 0 < stream.dropped_samples <= 0.1 * RATE
    starts = [e.start for e in sink.of("level")]
    assert starts == sorted(starts)


def test_a_fault_of_the_program_in_one_stream_ends_it_alone(head: Head) -> None:
    class Faulty(Scripted):
        def backlog_frames(self) -> int:
            if self._position >= RATE:
                raise RuntimeError("no such thing")
            return super().backlog_frames()

    clock = Clock()
    streams = [Stream("bad", Faulty(loud(4), clock)), Stream("s", Scripted(loud(4), clock))]
    sink = run(head, streams, clock)
    assert str(streams[0].error).startswith(
        "failed on a fault of this program (RuntimeError('no such thing'))"
    )
    assert streams[1].error is None
    assert sink.of("level")[-1].stop == 4 * RATE


class Slow(Scripted):
    """Opens once it is let, or gives up."""

    opens_slowly = True

    def __init__(self, sound: Array, clock: Clock) -> None:
        super().__init__(sound, clock)
        self.let, self.given_up = threading.Event(), threading.Event()

    def open(self) -> None:
        assert self.let.wait(30)
        if self.given_up.is_set():
            raise StreamError("was not waited for any longer")
        super().open()

    def give_up_opening(self) -> None:
        self.given_up.set()
        self.let.set()


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
    Engine(streams, [head], [sink], Config(), clock=clock).run(threading.Event())
    assert sink.of("level")[-1].stop == 2 * RATE
    assert sink.of("level", "slow")[-1].stop == RATE


def test_what_still_opens_at_the_end_is_given_up(head: Head) -> None:
    clock, stop = Clock(), threading.Event()
    slow = Slow(loud(1), clock)
    sink = Collected()
    engine = Engine([Stream("slow", slow)], [head], [sink], Config(), clock=clock)
    thread = threading.Thread(target=engine.run, args=[stop])
    thread.start()
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert slow.given_up.is_set()
    assert [e.state for e in sink.of("status", "slow") if isinstance(e, Status)] == ["failed"]


def test_a_sink_that_fails_ends_everything_in_order(head: Head) -> None:
    class Full(Collected):
        def send(self, event: Event) -> None:
            super().send(event)
            if event.stop >= RATE:
                raise StreamError("cannot write: no space left")

    clock = Clock()
    first, full = Collected(), Full()
    sources = [Scripted(loud(4), clock), Scripted(loud(4), clock)]
    engine = Engine(
        [Stream(n, s) for n, s in zip("ab", sources, strict=True)],
        [head],
        [first, full],
        Config(),
        clock=clock,
    )
    with pytest.raises(StreamError, match="no space left"):
        engine.run(threading.Event())
    assert [source.closed for source in sources] == [1, 1]
    assert (first.closed, full.closed) == (1, 1)


def test_sinks_are_served_while_nothing_is_heard(head: Head) -> None:
    class Counting(Collected):
        served = 0

        def service(self) -> None:
            self.served += 1

    clock, sink = Clock(), Counting()
    Engine([Stream("s", Scripted(loud(1), clock))], [head], [sink], Config(), clock=clock).run(
        threading.Event()
    )
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
    Engine([Stream("s", source)], [head], [sink], Config(), clock=clock).run(stop)
    assert [e.state for e in sink.of("gate") if isinstance(e, Decision)][-1] == "off"
    last = sink.events[-1]
    assert isinstance(last, Status)
    assert last.state == "ended"
    assert (source.closed, sink.closed) == (1, 1)


def test_a_sink_that_cannot_open_closes_what_was_opened(head: Head) -> None:
    class Refusing(Collected):
        def open(self) -> None:
            raise StreamError("tcp://127.0.0.1:1 is in use; choose another with --bind")

    first, source = Collected(), Scripted(loud(1), Clock())
    engine = Engine([Stream("s", source)], [head], [first, Refusing()], replace(Config()), clock=Clock())
    with pytest.raises(StreamError, match="is in use; choose another"):
        engine.run(threading.Event())
    assert first.closed == 1
    assert first.events == []
