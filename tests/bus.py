"""Events of every type and what the tests of both ends of the bus share."""

from __future__ import annotations

import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np

from streamer.events.kinds import Decision, Event, Level, Scores, Spectrum, Status, Stem
from streamer.sinks.publisher import Publisher
from streamer.wire.subscriber import Subscriber
from tests.conftest import DEADLINE_S

AnyEvent = TypeVar("AnyEvent", bound=Event)

LOOPBACK = "tcp://127.0.0.1:*"
TIME = datetime(2026, 5, 4, 3, 2, 1, 250_000, tzinfo=UTC)


def gate(seq: int = 0, stream: str = "mic", **others: Any) -> Decision:
    content = {"state": "on", "label": "music", "score": 0.97, "model": "gate"}
    return Decision(**_place("gate", seq, stream) | content | others)


def status(seq: int = 0, stream: str = "mic", **others: Any) -> Status:
    content = {"state": "running", "latency_ms": None, "pid": 4711, "versions": {"gate": "0123"}}
    return Status(**_place("status", seq, stream) | content | others)


def level(seq: int = 0, stream: str = "mic", **others: Any) -> Level:
    return Level(**_place("level", seq, stream) | {"rms_dbfs": -20.5, "peak_dbfs": -3.0} | others)


def scores(seq: int = 0, stream: str = "mic") -> Scores:
    heads = {"gate": {"music": 0.97}, "sounds": {"Hähnekrähen": 0.5}}
    return Scores(**_place("scores", seq, stream), heads=heads)


def spectrum(seq: int = 0, stream: str = "mic", frames: int = 3) -> Spectrum:
    values = np.random.default_rng(seq).normal(size=(frames, 64)).astype(np.float32)
    return Spectrum(**_place("spectrum", seq, stream), front_end="ab12", frames=values)


def stem(seq: int = 0, stream: str = "mic", label: str = "voice", channels: int = 2) -> Stem:
    samples = np.random.default_rng(seq).normal(size=(160, channels)).astype(np.float32)
    return Stem(**_place("stem", seq, stream), label=label, samples=samples)


def aged(event: AnyEvent, age_s: float, latency_ms: float = 10.0) -> AnyEvent:
    """An event that was made some time ago."""
    made_at = datetime.now(UTC) - timedelta(seconds=age_s)
    if isinstance(event, Status):
        return replace(event, time=made_at)
    return replace(event, time=made_at - timedelta(milliseconds=latency_ms), latency_ms=latency_ms)


def _place(kind: str, seq: int, stream: str) -> dict[str, Any]:
    """What every message says."""
    samples = {"start": 160 * seq, "stop": 160 * (seq + 1), "rate": 16_000}
    return {
        "kind": kind,
        "stream": stream,
        "epoch": 0,
        "seq": seq,
        "time": TIME,
        "latency_ms": 12.5,
        **samples,
    }


@contextmanager
def publishing(address: str = LOOPBACK, **settings: Any) -> Iterator[Publisher]:
    """An open publisher."""
    publisher = Publisher(address, **settings)
    publisher.open()
    try:
        yield publisher
    finally:
        publisher.close()


def wait_for(condition: Callable[[], Any], publisher: Publisher) -> None:
    """Serve the publisher until the condition holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the deadline passed"
        publisher.service()
        time.sleep(0.001)


def wait_for_output(process: subprocess.Popen[Any], publisher: Publisher) -> None:
    """Serve the publisher until the process has printed something, or ended."""
    assert process.stdout is not None
    poll = select.poll()
    poll.register(process.stdout.fileno(), select.POLLIN)
    wait_for(lambda: poll.poll(0), publisher)


def receive(subscriber: Subscriber, publisher: Publisher, count: int) -> list[Event]:
    """The next messages, while the publisher is served."""
    events: list[Event] = []

    def enough() -> bool:
        event = subscriber.receive(timeout_s=0)
        if event is not None:
            events.append(event)
        return len(events) == count

    wait_for(enough, publisher)
    return events


def meet(subscriber: Subscriber, publisher: Publisher) -> None:
    """Wait until the subscriber, whose last topic is ``level``, gets whatever is published from now on."""
    stream = f"sync-{id(subscriber)}"
    got: list[int] = []

    def take(timeout_s: float) -> bool:
        event = subscriber.receive(timeout_s)
        if event is not None and event.stream == stream:
            got.append(event.seq)
        return event is not None

    sent = 0
    deadline = time.monotonic() + DEADLINE_S
    while not got:
        assert time.monotonic() < deadline, "the deadline passed"
        publisher.send(level(sent, stream))
        sent += 1
        take(timeout_s=0.01)
    while got[-1] < sent - 1:
        assert take(DEADLINE_S), "the deadline passed"
