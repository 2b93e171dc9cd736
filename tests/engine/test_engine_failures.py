"""Test the engine when a stream, a sink or the program fails: the others go on, and all that was opened is closed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from streamer.engine.announcer import Announcer
from streamer.engine.stream import Stream
from streamer.errors import StreamError
from streamer.events.kinds import Decision, Event, Status
from streamer.heads.head import Head
from tests import bus
from tests.conftest import DEADLINE_S
from tests.scripted import RATE, Absent, Clock, Collected, Scripted, Slow, engine, loud, run, toy_gate


@pytest.fixture
def head(tmp_path: Path) -> Head:
    return toy_gate(tmp_path)


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


def test_what_still_opens_at_the_end_is_given_up(head: Head) -> None:
    clock, stop = Clock(), threading.Event()
    slow = Slow(loud(1), clock)
    sink = Collected()
    made = engine(head, [Stream("slow", slow)], [sink], clock=clock)
    thread = threading.Thread(target=made.run, args=[stop])
    thread.start()
    stop.set()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert slow.given_up.is_set()
    assert [e.state for e in sink.of("status", "slow") if isinstance(e, Status)] == ["ended"]
    assert made.streams[0].error is None


def test_a_sink_that_fails_costs_the_others_nothing(head: Head) -> None:
    class Full(Collected):
        def send(self, event: Event) -> None:
            raise StreamError("full")

    clock, full, whole = Clock(), Full(), Collected()
    stream = Stream("s", Scripted(loud(1), clock))
    with pytest.raises(StreamError, match="full"):
        engine(head, [stream], [full, whole], clock=clock).run(threading.Event())
    assert {event.kind for event in whole.events} == {"status"}
    announcer = Announcer([full, whole], heartbeat_s=1.0, clock=clock)
    level = bus.level(stream="s")
    with pytest.raises(StreamError, match="full"):
        announcer.publish(stream, [level, level])
    assert [event.seq for event in whole.of("level")] == [0, 1]


def test_a_sink_that_fails_ends_everything_in_order(head: Head) -> None:
    class Full(Collected):
        def send(self, event: Event) -> None:
            super().send(event)
            if event.stop >= RATE:
                raise StreamError("cannot write: no space left")

    clock = Clock()
    first, full = Collected(), Full()
    sources = [Scripted(loud(4), clock), Scripted(loud(4), clock)]
    streams = [Stream(n, s) for n, s in zip("ab", sources, strict=True)]
    made = engine(head, streams, [first, full], clock=clock)
    with pytest.raises(StreamError, match="no space left"):
        made.run(threading.Event())
    assert [source.closed for source in sources] == [1, 1]
    assert (first.closed, full.closed) == (1, 1)


def test_a_sink_that_cannot_open_closes_what_was_opened(head: Head) -> None:
    class Refusing(Collected):
        def open(self) -> None:
            raise StreamError("tcp://127.0.0.1:1 is in use; choose another with --bind")

    first, source = Collected(), Scripted(loud(1), Clock())
    made = engine(head, [Stream("s", source)], [first, Refusing()], clock=Clock())
    with pytest.raises(StreamError, match="is in use; choose another"):
        made.run(threading.Event())
    assert first.closed == 1
    assert first.events == []
