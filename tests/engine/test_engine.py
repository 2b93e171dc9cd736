"""Test the engine with scripted sources and clock: turns, lag, losses, numbering, and an orderly end."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile

from streamer.arrays import Array, State
from streamer.config import STEMS_TURN_S, TURN_S, Config, StreamConfig
from streamer.config_sections import EngineConfig, PublishConfig, StemsConfig
from streamer.dsp.model_calls import StepResult
from streamer.engine.engine import BACKLOG_KEPT_S
from streamer.engine.scheduler import LIVE_CHUNK_S, REST_WHILE_OPENING_S
from streamer.engine.stream import Stream
from streamer.events.kinds import Decision, Event, Level, Status
from streamer.heads.head import Head
from streamer.pipeline.stream_models import StreamModels
from streamer.sources.file import FileSource
from streamer.sources.source import Block
from streamer.start_time import Beginning
from tests.scripted import RATE, Clock, Collected, Scripted, Slow, engine, loud, run, toy_gate


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


class Resting(Scripted):
    """Records the `turn_s` of each call of `wait_s`."""

    turns_s: list[float]

    def wait_s(self, turn_s: float) -> float:
        self.turns_s.append(turn_s)
        return super().wait_s(turn_s)


def test_turns_are_as_short_as_the_streams_want_that_are_heard(head: Head) -> None:
    clock = Clock()
    plain, apart = Resting(loud(2), clock), Resting(loud(1), clock)
    plain.turns_s, apart.turns_s = [], []
    first = Stream("plain", plain)
    second = Stream("apart", apart, StreamModels((head,)), config=Config(stems=StemsConfig(publish=True)))

    before: list[float] = []

    class Changing(Collected):
        def send(self, event: Event) -> None:
            if event.kind == "level" and not before:
                before.extend(plain.turns_s)
                made.change([first, second], "changed")
            super().send(event)

    made = engine(head, [first], [Changing()], Config(), clock)
    made.run(threading.Event())
    assert STEMS_TURN_S < max(before) <= TURN_S
    assert 0 < max(apart.turns_s) <= STEMS_TURN_S


def test_live_sound_gathers_until_something_is_due(head: Head) -> None:
    """No message is later than one look at the source takes, and nothing is read between two messages."""
    clock = Clock()
    source = Scripted(loud(4), clock, step_s=0.001)
    source.wait_s = lambda turn_s: 0.0  # type: ignore[method-assign]  # the clock moves by looks
    stream = Stream("s", source)
    sink = run(head, [stream], clock, Config(engine=EngineConfig(turn_ms=50)))
    late_ms = [event.latency_ms for kind in ("level", "scores") for event in sink.of(kind)]
    assert len(late_ms) > 60
    assert max(late for late in late_ms if late is not None) <= 2.0
    assert source.reads < 4 * (10 + 10 + 1_000 / 40 + 20) + 2


class Player(Collected):
    """A sink that wants 20 ms at every other look, and nothing in between."""

    looks = 0

    @property
    def wanted_s(self) -> float:
        self.looks += 1
        return 0.02 * (self.looks % 2)


class Counted(FileSource):
    """A file that records how many frames each read asks for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[int] = []

    def read(self, max_frames: int) -> Block | None:
        self.asked.append(max_frames)
        return super().read(max_frames)


def test_of_a_source_that_can_wait_no_more_is_read_than_is_wanted(head: Head, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", loud(2), RATE)
    source, player = Counted(tmp_path / "a.wav"), Player()
    stream = Stream("s", source)
    engine(head, [stream], [player]).run(threading.Event())
    assert source.asked[0] == LIVE_CHUNK_S * RATE  # whether it can wait is not known yet
    assert set(source.asked[1:]) == {RATE // 50}
    assert len(source.asked) < player.looks
    assert stream.error is None
    assert stream.position_s == 2.0


def test_streams_that_are_due_are_heard_in_one_call_of_the_model(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", loud(2), RATE)
    rows, run_model = [], head.model.run

    def recorded(x: Array, state: State) -> StepResult:
        rows.append(len(x))
        return run_model(x, state)

    monkeypatch.setattr(head.model, "run", recorded)
    run(head, [Stream(name, FileSource(tmp_path / "a.wav")) for name in "abc"], Clock())
    assert max(rows) == 3


def test_live_sound_is_heard_whatever_is_wanted(head: Head) -> None:
    clock, player = Clock(), Player()
    stream = Stream("s", Scripted(loud(3), clock))
    engine(head, [stream], [player], clock=clock).run(threading.Event())
    assert (stream.position_s, player.looks) == (3.0, 0)


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
    assert beats[-1].versions["gate"].startswith("toy@")


def test_duration_ends_a_stream_to_the_sample(head: Head) -> None:
    clock = Clock()
    stream = Stream("s", Scripted(loud(5), clock), duration_s=1.2345)
    run(head, [stream], clock)
    assert stream.position_samples == round(1.2345 * RATE)


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


def test_while_it_waits_for_openings_alone_it_rests(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, rests = Clock(), list[float]()
    slow = Slow(loud(1), clock)

    def rest(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 3:
            slow.let.set()
        time.sleep(seconds)

    monkeypatch.setattr("streamer.engine.engine.time", SimpleNamespace(sleep=rest))
    run(head, [Stream("slow", slow)], clock)
    assert rests[:3] == [REST_WHILE_OPENING_S] * 3


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


def test_a_file_with_a_start_time_has_times(head: Head, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", loud(2), RATE)
    stream = Stream(
        "s",
        FileSource(tmp_path / "a.wav"),
        beginning=Beginning(datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), "option"),
    )
    levels = run(head, [stream], Clock()).of("level")
    assert [event.time for event in levels if event.stop in (RATE, 2 * RATE)] == [
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2026, 2, 1, 0, 0, 1, tzinfo=UTC),
    ]
    assert {event.latency_ms for event in levels} == {None}


def test_a_status_says_when_a_file_began_and_what_told(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "20260131T235959Z.wav"
    soundfile.write(path, loud(1), RATE)
    config = Config(stream=(StreamConfig(f"file:{path}"),))
    stream = Stream("s", FileSource(path), config=config, start_time="auto")
    messages = [
        event.message for event in run(head, [stream], Clock()).of("status") if isinstance(event, Status)
    ]
    assert messages == ["it began at 2026-01-31T23:59:59Z, as its name says", ""]


def test_a_file_that_must_tell_when_it_began_and_does_not_fails(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, loud(1), RATE)
    config = Config(stream=(StreamConfig(f"file:{path}"),))
    stream = Stream("s", FileSource(path), config=config, start_time="tag")
    [status] = run(head, [stream], Clock()).events
    assert isinstance(status, Status)
    assert status.state == "failed"
    assert "start_time is 'tag' and the file 'a.wav' (its tags have no date and time)" in status.message


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
