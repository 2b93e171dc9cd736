"""Test the subscriber: topics, losses, timeouts, and the three lines of the documents."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import zmq

import streamer
from streamer import subscribe
from streamer.errors import ConfigError, StreamError
from streamer.events.kinds import Event
from streamer.events.serialization import encode
from streamer.sinks.publisher import Publisher
from streamer.wire.queues import PUBLISHER_MESSAGES, SUBSCRIBER_MESSAGES, SYSTEM_BYTES
from streamer.wire.subscriber import Subscriber
from tests import bus
from tests.bus import aged
from tests.conftest import DEADLINE_S
from tests.programs import ended

ROOT = Path(__file__).parents[2]


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with bus.publishing() as opened:
        yield opened


@pytest.fixture
def pair(publisher: Publisher) -> Iterator[tuple[Publisher, Subscriber]]:
    """Yield a publisher and a subscriber of ``level`` that are connected."""
    with subscribe("gate", "level", address=publisher.address, timeout_s=DEADLINE_S) as subscriber:
        bus.meet(subscriber, publisher)
        yield publisher, subscriber


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        ((), ["gate/mic", "gate/mic2", "gatekeeper/x", "status/mic"]),
        (("gate",), ["gate/mic", "gate/mic2"]),
        (("gate/",), ["gate/mic", "gate/mic2"]),
        (("gate/mic",), ["gate/mic"]),
        (("gate/mic", "status"), ["gate/mic", "status/mic"]),
        (("gate", "gate/mic"), ["gate/mic", "gate/mic2"]),
        (("gate/mi",), []),
        (("gat",), []),
        (("gatekeeper",), ["gatekeeper/x"]),
    ],
)
def test_a_topic_is_a_kind_or_exactly_one_stream_of_it(
    topics: tuple[str, ...], expected: list[str], publisher: Publisher
) -> None:
    with subscribe(*topics, *(["level"] if topics else []), address=publisher.address) as subscriber:
        bus.meet(subscriber, publisher)
        keeper = replace(bus.gate(stream="x"), kind="gatekeeper")
        for event in (bus.gate(), bus.gate(stream="mic2"), keeper, bus.status(), bus.level(stream="last")):
            publisher.send(event)
        assert _topics_until_last(subscriber) == expected


def test_three_lines_are_enough(pair: tuple[Publisher, Subscriber]) -> None:
    publisher, events = pair
    publisher.send(bus.gate(0))
    publisher.send(bus.gate(1, state="off", score=0.1))
    said = []
    for event in events:
        said.append((event.state, event.label, event.score))
        if event.state == "off":
            break
    assert said == [("on", "music", 0.97), ("off", "music", 0.1)]


def test_a_gap_in_seq_is_a_loss_of_its_topic(pair: tuple[Publisher, Subscriber]) -> None:
    publisher, subscriber = pair
    for event in (bus.gate(5), bus.gate(6), bus.gate(9), bus.level(1), bus.level(3), bus.gate(10)):
        publisher.send(event)
    assert len(bus.receive(subscriber, publisher, 6)) == 6
    assert subscriber.lost == {"gate/mic": 2, "level/mic": 1}
    assert subscriber.lost.total() == 3


def test_reconnects_to_a_publisher_that_comes_back(publisher: Publisher) -> None:
    with subscribe("gate", address=publisher.address) as subscriber:
        publisher.send(bus.gate(6))
        assert [event.seq for event in bus.receive(subscriber, publisher, 1)] == [6]
        address = publisher.address
        publisher.close()
        with bus.publishing(address) as again:
            again.send(bus.gate(2))
            assert [event.seq for event in bus.receive(subscriber, again, 1)] == [2]
        assert not subscriber.lost


def test_says_when_nothing_comes() -> None:
    with bus.publishing() as closed:
        address = closed.address
    text = rf"no message from {re.escape(address)} for 0\.05 s: is `streamer listen` running"
    with subscribe("gate", "scores/mic", address=address, timeout_s=0.05) as subscriber:
        for _ in range(2):
            with pytest.raises(StreamError, match=rf"{text}, and does it send gate or scores/mic\?"):
                next(subscriber)
        assert subscriber.receive(timeout_s=0) is None
    with (
        subscribe(address=address, timeout_s=0.05) as all_of_it,
        pytest.raises(StreamError, match=rf"{text}\?"),
    ):
        next(all_of_it)


def test_another_program_on_the_address_is_an_error_and_goes_on() -> None:
    with zmq.Context.instance().socket(zmq.XPUB) as other:
        other.linger = 0
        port = other.bind_to_random_port("tcp://127.0.0.1")
        with subscribe(address=f"tcp://127.0.0.1:{port}", timeout_s=DEADLINE_S) as subscriber:
            assert other.poll(1_000 * DEADLINE_S)  # the subscription
            other.send_multipart([b"prices", b"12.50"])
            other.send_multipart(encode(bus.gate(3)))
            with pytest.raises(StreamError, match="not Streamer's"):
                next(subscriber)
            assert next(subscriber) == bus.gate(3)


def test_a_program_that_does_not_speak_zeromq_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with subscribe(address=address, timeout_s=DEADLINE_S) as subscriber:
            hangs_up = threading.Thread(target=_hang_up, args=(server, 3), daemon=True)
            hangs_up.start()
            with pytest.raises(
                StreamError,
                match=r"is no publisher: another program, which does not speak ZeroMQ, listens there",
            ):
                next(subscriber)
            hangs_up.join(DEADLINE_S)


@pytest.mark.parametrize("topic", ["", "/", "/mic", 3, ["gate"]])
def test_refuses_a_topic_without_a_kind(topic: Any) -> None:
    with pytest.raises(
        ConfigError, match=rf"got the topic {re.escape(repr(topic))}; expected KIND or KIND/STREAM"
    ):
        subscribe(topic)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"address": 7765}, "address is 7765; expected text"),
        ({"keys": 3}, "keys is 3; expected a path or text or None"),
        ({"timeout_s": "1"}, "timeout_s is '1'; expected a number or None"),
        ({"timeout_s": float("nan")}, "timeout_s is nan; expected a finite number"),
        ({"max_age_s": "2"}, "max_age_s is '2'; expected a number or None"),
        ({"max_age_s": 0.0}, "max_age_s is 0; expected seconds above 0, or None for any age"),
    ],
)
def test_refuses_arguments_of_another_type(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        subscribe(**arguments)


@pytest.mark.parametrize("address", ["here", "tcp://127.0.0.1:70000", "http://127.0.0.1:7765"])
def test_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigError, match=rf"got the address '{address}'; expected tcp://HOST:PORT"):
        subscribe(address=address)


def test_refuses_what_cannot_be_connected_to() -> None:
    with pytest.raises(
        ConfigError, match=r"cannot connect to tcp://\*:7765 \(.*expected the publisher's address"
    ):
        subscribe(address="tcp://*:7765")


def test_closing_ends_the_iteration(publisher: Publisher) -> None:
    subscriber = subscribe(address=publisher.address)
    subscriber.close()
    subscriber.close()
    assert list(subscriber) == []


def test_ctrl_c_leaves_at_once(publisher: Publisher) -> None:
    program = "\n".join(
        [
            "from streamer import subscribe",
            f"for event in subscribe('gate', address={publisher.address!r}):",
            "    print(event.state, event.label, event.score, flush=True)",
        ]
    )
    publisher.send(bus.gate())
    started = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with ended(started) as process:
        assert process.stdout is not None
        bus.wait_for_output(process, publisher)
        assert process.stdout.readline() == "on music 0.97\n"
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=DEADLINE_S)
    assert complaints.splitlines()[-1] == "KeyboardInterrupt"
    assert process.returncode == -signal.SIGINT


def test_a_dead_connection_is_noticed_by_the_kernel() -> None:
    """ZMTP's heartbeats must stay off, since libzmq aborts a slow subscriber with them (its issue 3937)."""
    with subscribe(address="tcp://127.0.0.1:9") as subscriber:
        assert subscriber._socket.getsockopt(zmq.TCP_KEEPALIVE) == 1
        assert subscriber._socket.getsockopt(zmq.HEARTBEAT_IVL) == 0


def test_importing_the_package_loads_nothing_else() -> None:
    program = "import sys, streamer; print(*[m for m in sys.modules if m.split('.')[0] in {names}])"
    names = {"numpy", "zmq", "streamer", "numba", "onnxruntime", "torch"}
    out = subprocess.run(
        [sys.executable, "-c", program.format(names=names)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(out.stdout.split()) == ["streamer", "streamer.onnxruntime_reports"]


def test_the_package_offers_its_names() -> None:
    for name in streamer.__all__:
        assert getattr(streamer, name) is not None
        assert name in dir(streamer)
    assert streamer.__version__ == version("streamer")
    assert callable(streamer.subscribe)
    with pytest.raises(AttributeError, match="module 'streamer' has no attribute 'subscirbe'"):
        _ = streamer.subscirbe


def _topics_until_last(subscriber: Subscriber) -> list[str]:
    """Return the topics of received messages, up to that of ``level/last``."""
    topics: list[str] = []
    while True:
        event: Event | None = subscriber.receive(DEADLINE_S)
        assert event is not None, "the deadline passed"
        if event.topic == "level/last":
            return topics
        topics.append(event.topic)


def _hang_up(server: socket.socket, times: int) -> None:
    """Take connections, wait for the first bytes and close them."""
    for _ in range(times):
        connection, _ = server.accept()
        with connection:
            connection.recv(64)


def test_a_subscriber_that_nothing_refers_to_closes_its_sockets(publisher: Publisher) -> None:
    subscriber = subscribe(address=publisher.address)
    opened = [subscriber._socket, subscriber._refusals]
    del subscriber
    assert [socket.closed for socket in opened] == [True, True]


def test_no_more_waits_for_a_subscriber_that_sleeps_than_is_documented() -> None:
    with bus.publishing() as publisher, subscribe("level", address=publisher.address) as subscriber:
        bus.meet(subscriber, publisher)
        for seq in range(20_000):
            publisher.send(bus.level(seq))
        waited: list[int] = []

        def told_all() -> bool:
            publisher.send(bus.level(stream="last"))
            while (event := subscriber.receive(timeout_s=0)) is not None and event.stream != "last":
                waited.append(event.seq)
            return event is not None

        bus.wait_for(told_all, publisher)
    assert waited == sorted(waited)
    # The publisher's queue is always filled. Linux doubles the buffers it is asked for, for its own needs.
    shortest = sum(map(len, encode(bus.level(0))))
    longest = PUBLISHER_MESSAGES + SUBSCRIBER_MESSAGES + 4 * SYSTEM_BYTES // shortest
    assert PUBLISHER_MESSAGES <= len(waited) <= longest


def test_each_end_asks_the_system_for_the_documented_buffer() -> None:
    with bus.publishing() as publisher, subscribe(address=publisher.address) as subscriber:
        assert subscriber._socket.getsockopt(zmq.RCVBUF) == SYSTEM_BYTES == 131_072
        assert subscriber._socket.getsockopt(zmq.RCVHWM) == SUBSCRIBER_MESSAGES == 1_000
        assert publisher._socket.getsockopt(zmq.SNDBUF) == SYSTEM_BYTES
        assert publisher._socket.getsockopt(zmq.SNDHWM) == PUBLISHER_MESSAGES == 2_000


def test_a_burst_as_long_as_the_queue_reaches_a_subscriber_that_is_not_reading() -> None:
    with bus.publishing() as publisher, subscribe("status", "level", address=publisher.address) as subscriber:
        bus.meet(subscriber, publisher)
        sent = [bus.status(0, f"s{stream}") for stream in range(PUBLISHER_MESSAGES)]
        for event in sent:
            publisher.send(event)
        assert bus.receive(subscriber, publisher, len(sent)) == sent
        assert not subscriber.lost


def test_a_subscriber_that_slept_gets_fresh_messages_and_is_told_what_it_missed() -> None:
    with bus.publishing() as publisher, subscribe(address=publisher.address, max_age_s=600.0) as subscriber:
        publisher.send(aged(bus.status(), 0.0))  # repeated once the subscriber is known
        assert [event.kind for event in bus.receive(subscriber, publisher, 1)] == ["status"]
        for seq in range(5_000):
            publisher.send(aged(bus.level(seq), 3_600.0))
        publisher.send(aged(bus.gate(0), 3_600.0))
        got: list[Event] = []
        seqs = count(5_000)

        def is_told() -> bool:
            publisher.send(aged(bus.level(next(seqs)), 0.0))
            while (event := subscriber.receive(timeout_s=0)) is not None:
                got.append(event)
            return any(event.kind == "level" for event in got)

        bus.wait_for(is_told, publisher)
        levels = [event.seq for event in got if event.kind == "level"]
        assert levels[0] >= 5_000
        assert subscriber.lost["level/mic"] == levels[0]  # all before it, in the queues and beyond them


def test_a_subscriber_reads_whatever_its_age_unless_asked_otherwise() -> None:
    with bus.publishing() as publisher, subscribe("level", address=publisher.address) as subscriber:
        bus.meet(subscriber, publisher)
        publisher.send(aged(bus.level(0), 3_600.0))
        assert [event.seq for event in bus.receive(subscriber, publisher, 1)] == [0]
