"""Test the phases of a stream: waiting, opening, running, ended."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from streamer.engine.phases import Ended, Opening, Running, Waiting
from streamer.engine.stream import Stream
from streamer.errors import StreamError
from streamer.events.kinds import Event, Status
from streamer.heads.head import Head
from tests.scripted import RATE, Absent, Clock, Collected, Scripted, Slow, engine, loud, run, toy_gate


@pytest.fixture
def head(tmp_path: Path) -> Head:
    return toy_gate(tmp_path)


def test_a_stream_goes_through_its_phases_in_order(head: Head) -> None:
    clock, stop = Clock(), threading.Event()
    slow = Slow(loud(1), clock)
    stream = Stream("s", slow)
    seen: list[type] = [type(stream.phase)]

    class Watching(Collected):
        def service(self) -> None:
            if seen[-1] is not type(stream.phase):
                seen.append(type(stream.phase))
            if isinstance(stream.phase, Opening):
                slow.let.set()

    engine(head, [stream], [Watching()], clock=clock).run(stop)
    assert seen == [Waiting, Opening, Running, Ended]


def test_what_a_stream_came_to_is_known_after_its_end(head: Head) -> None:
    clock = Clock()
    sound = loud(2)
    sound[100:110] = float("nan")
    stream = Stream("s", Scripted(sound, clock))
    assert (stream.position_samples, stream.position_s, stream.muted_samples, stream.error) == (
        0,
        0.0,
        0,
        None,
    )
    run(head, [stream], clock)
    assert isinstance(stream.phase, Ended)
    assert stream.phase.running is stream.progress
    assert (stream.position_samples, stream.position_s, stream.muted_samples) == (2 * RATE, 2.0, 10)
    assert stream.error is None


def test_a_stream_that_never_opened_ended_without_having_run(head: Head) -> None:
    clock = Clock()
    stream = Stream("s", Absent(loud(1), clock))
    run(head, [stream], clock)
    assert isinstance(stream.phase, Ended)
    assert stream.phase.running is None
    assert "no input device 'x'" in str(stream.error)
    assert (stream.position_samples, stream.position_s, stream.muted_samples) == (0, 0.0, 0)


def test_a_stream_whose_last_events_cannot_be_made_has_the_error_that_ended_it_first(head: Head) -> None:
    clock = Clock()
    source = Scripted(loud(2), clock)
    source.fail_at = RATE
    stream = Stream("s", source)

    class Breaking(Collected):
        def send(self, event: Event) -> None:
            super().send(event)
            if isinstance(stream.phase, Running):
                stream.phase.pipeline.finish = lambda: 1 / 0  # type: ignore[method-assign, return-value, assignment]

    sink = Breaking()
    engine(head, [stream], [sink], clock=clock).run(threading.Event())
    assert isinstance(stream.error, StreamError)
    assert "the device was unplugged" in str(stream.error)
    last = sink.events[-1]
    assert isinstance(last, Status)
    assert (last.state, last.message) == ("failed", str(stream.error))
