"""Events between threads: what waits, what is lost first, and that nobody waits for ever."""

from __future__ import annotations

import logging
import threading

import pytest

from streamer.events.kinds import Decision, Event, Level, Status
from streamer.sinks.event_queue import EventQueue, LiveEventQueue

PLACE = {"stream": "s", "epoch": 0, "start": 0, "stop": 1, "rate": 16_000}


def level(seq: int) -> Level:
    return Level(kind="level", rms_dbfs=-10.0, peak_dbfs=-5.0, seq=seq, **PLACE)


def status(seq: int) -> Status:
    return Status(kind="status", state="running", seq=seq, **PLACE)


def decision(seq: int) -> Decision:
    return Decision(kind="gate", state="on", label="music", score=1.0, model="gate", seq=seq, **PLACE)


def sent(queue: EventQueue, *events: Event) -> None:
    for event in events:
        queue.send(event)


def taken(queue: EventQueue) -> list[str]:
    """Close a queue and take what waits, as kinds with numbers."""
    queue.close()
    found = []
    while (event := queue.take()) is not None:
        found.append(f"{event.kind} {event.seq}")
    return found


def test_events_come_in_the_order_in_which_they_were_sent() -> None:
    queue = EventQueue(10)
    sent(queue, level(0), decision(0), level(1), status(0), level(2))
    assert taken(queue) == ["level 0", "gate 0", "level 1", "status 0", "level 2"]
    assert queue.lost_events == 0


def test_running_values_are_lost_first_then_statuses_and_decisions_last() -> None:
    queue = LiveEventQueue(3)
    sent(queue, decision(0), level(0), status(0), level(1))
    sent(queue, decision(1))
    sent(queue, decision(2))
    assert taken(queue) == ["gate 0", "gate 1", "gate 2"]
    assert queue.lost_events == 3


def test_a_running_value_pushes_out_no_decision() -> None:
    queue = LiveEventQueue(2)
    sent(queue, decision(0), decision(1), level(0))
    assert taken(queue) == ["gate 0", "gate 1"]


def test_of_decisions_the_oldest_are_lost() -> None:
    queue = LiveEventQueue(2)
    sent(queue, decision(0), decision(1), decision(2))
    assert taken(queue) == ["gate 1", "gate 2"]


def test_a_loss_is_logged_at_once_and_in_sum(caplog: pytest.LogCaptureFixture) -> None:
    queue = LiveEventQueue(1)
    with caplog.at_level(logging.WARNING):
        sent(queue, level(0), level(1), level(2))
        assert [r.getMessage() for r in caplog.records] == [
            "events are lost: 1 wait to be taken, and no more may; take them sooner, or let more wait"
        ]
        queue.close()
        queue.close()
    assert [r.getMessage() for r in caplog.records[1:]] == ["2 events were lost: they were not taken in time"]


def test_a_full_queue_makes_the_writer_wait_for_the_reader() -> None:
    queue = EventQueue(2)
    writer = threading.Thread(target=lambda: sent(queue, *map(level, range(100))))
    writer.start()
    seqs = []
    for _ in range(100):
        event = queue.take()
        assert event is not None
        seqs.append(event.seq)
    writer.join()
    assert seqs == list(range(100))
    assert queue.lost_events == 0


def test_a_writer_that_waits_goes_on_once_the_reader_has_left() -> None:
    queue = EventQueue(1)
    writer = threading.Thread(target=lambda: sent(queue, level(0), level(1)), daemon=True)
    writer.start()
    queue.abandon()
    writer.join(30)
    assert not writer.is_alive()
    assert queue.take() is None


def test_a_reader_that_waits_is_told_of_the_end() -> None:
    queue = EventQueue(1)
    given: list[Event | None] = []
    reader = threading.Thread(target=lambda: given.append(queue.take()), daemon=True)
    reader.start()
    queue.close()
    reader.join(30)
    assert given == [None]
