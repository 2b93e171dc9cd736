"""Binding, late and slow subscribers, keys."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from streamer.errors import StreamError
from streamer.events.kinds import RUNNING_KINDS
from streamer.sinks import publisher as publisher_module
from streamer.wire.keys import make_keys
from streamer.wire.subscriber import subscribe
from tests import bus
from tests.conftest import DEADLINE_S


def test_a_late_subscriber_gets_the_last_state_at_once() -> None:
    with bus.publishing() as publisher:
        for event in (
            bus.gate(0),
            bus.gate(1),
            bus.status(0),
            bus.level(0),
            bus.gate(0, "door"),
            bus.scores(0),
        ):
            publisher.send(event)
        with subscribe("gate", "status", address=publisher.address) as late:
            got = {event.topic: event for event in bus.receive(late, publisher, 3)}
        assert set(got) == {"gate/mic", "gate/door", "status/mic"}
        assert got["gate/mic"].seq == 1
        assert all(event.replay for event in got.values())


def test_every_late_subscriber_gets_it_and_the_others_not_twice() -> None:
    with bus.publishing() as publisher:
        publisher.send(bus.gate(0))
        with subscribe("gate", "level", address=publisher.address) as first:
            assert [event.seq for event in bus.receive(first, publisher, 1)] == [0]
            with subscribe("gate", address=publisher.address) as second:  # the same topic again: XPUB_VERBOSE
                assert [event.seq for event in bus.receive(second, publisher, 1)] == [0]
                publisher.send(bus.gate(1))
                assert [event.seq for event in bus.receive(first, publisher, 1)] == [1]
                assert [event.replay for event in bus.receive(second, publisher, 1)] == [False]
            assert not first.lost


def test_a_late_subscriber_gets_the_last_of_every_label_and_the_others_nothing_twice() -> None:
    labels = ["bell", "rain", "dog", "dog", "rain"]
    said = [replace(bus.gate(seq, label=label), kind="sound") for seq, label in enumerate(labels)]
    with bus.publishing() as publisher, subscribe("sound", "level", address=publisher.address) as early:
        bus.meet(early, publisher)
        for event in said:
            publisher.send(event)
        assert bus.receive(early, publisher, 5) == said
        with subscribe("sound", address=publisher.address) as late:
            got = bus.receive(late, publisher, 3)
            assert got == [replace(said[seq], replay=True) for seq in (0, 3, 4)]
            following = replace(bus.gate(5, label="bell", state="off"), kind="sound")
            publisher.send(following)
            assert bus.receive(late, publisher, 1) == [following]
            assert bus.receive(early, publisher, 1) == [following]
            assert not late.lost
        assert not early.lost


def test_a_late_subscriber_of_many_streams_gets_them_in_portions() -> None:
    streams = [f"s{number}" for number in range(1_000)]
    with bus.publishing() as publisher:
        for stream in streams:
            publisher.send(bus.gate(0, stream, label="music"))
            publisher.send(bus.gate(1, stream, label="rain"))
        with subscribe("gate", address=publisher.address) as late:
            first = bus.receive(late, publisher, 1)
            newer = bus.gate(2, streams[-1], label="dog")
            publisher.send(newer)  # what is to be repeated of its topic comes before it
            got = first + bus.receive(late, publisher, 2 * len(streams))
            assert not late.lost
    assert [event.stream for event in got[:2]] == streams[:1] * 2
    assert got.index(newer) < len(got) - 1  # the engine was not held up until all were told
    of_last = [event.seq for event in got if event.stream == streams[-1]]
    assert of_last == [0, 1, 2]
    assert {event.topic for event in got} == {f"gate/{stream}" for stream in streams}


def test_running_values_are_not_repeated() -> None:
    with bus.publishing() as publisher:
        publisher.send(bus.level(0))
        publisher.send(bus.gate(0))
        with subscribe(address=publisher.address) as late:
            assert [event.kind for event in bus.receive(late, publisher, 1)] == ["gate"]
            publisher.send(bus.level(1))
            assert [(event.kind, event.seq) for event in bus.receive(late, publisher, 1)] == [("level", 1)]


def test_what_nobody_wants_is_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    encode = publisher_module.encode
    monkeypatch.setattr(
        publisher_module, "encode", lambda event: encoded.append(event.topic) or encode(event)
    )
    with bus.publishing() as publisher:
        publisher.send(bus.level(0))
        publisher.send(bus.gate(0))
        assert encoded == []
        with subscribe("gate", address=publisher.address) as subscriber:
            assert [event.seq for event in bus.receive(subscriber, publisher, 1)] == [
                0
            ]  # kept for it all the same
            publisher.send(bus.level(1))
            publisher.send(bus.gate(1))
            assert [event.seq for event in bus.receive(subscriber, publisher, 1)] == [1]
        assert encoded == ["gate/mic", "gate/mic"]
        deadline, before = time.monotonic() + DEADLINE_S, -1
        while len(encoded) > before and time.monotonic() < deadline:  # until it is known that it has left
            before = len(encoded)
            publisher.send(bus.gate(2))
            publisher.service()
        assert len(encoded) == before


def test_a_kind_is_wanted_while_anybody_has_subscribed_to_some_of_its_topics() -> None:
    with bus.publishing() as publisher:

        def come_to_be_wanted(*kinds: str) -> None:
            wanted = [kind in kinds for kind in RUNNING_KINDS]
            bus.wait_for(lambda: [publisher.wants(kind) for kind in RUNNING_KINDS] == wanted, publisher)

        come_to_be_wanted()
        with subscribe("level/door", "gate", address=publisher.address):
            come_to_be_wanted("level")
            with subscribe("scores", address=publisher.address):
                come_to_be_wanted("level", "scores")
            come_to_be_wanted("level")
        come_to_be_wanted()
        with subscribe(address=publisher.address):
            come_to_be_wanted(*RUNNING_KINDS)


def test_a_subscription_that_has_come_is_known_before_the_publisher_is_served() -> None:
    with bus.publishing() as publisher, subscribe("level", address=publisher.address):
        deadline = time.monotonic() + DEADLINE_S
        while not publisher.wants("level"):
            assert time.monotonic() < deadline, "the deadline passed"
            time.sleep(0.001)


def test_with_very_many_subscriptions_everything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher_module, "_PREFIXES", 2)
    topics = ["gate", "sound", "level"]
    with bus.publishing() as publisher, subscribe(*topics, address=publisher.address) as subscriber:
        bus.meet(subscriber, publisher)
        publisher.send(bus.gate(7))
        assert [event.seq for event in bus.receive(subscriber, publisher, 1)] == [7]


def test_a_slow_subscriber_loses_and_can_tell_and_holds_up_nobody() -> None:
    with (
        bus.publishing() as publisher,
        subscribe("spectrum", "level", address=publisher.address) as slow,
        subscribe("spectrum", "level", address=publisher.address) as quick,
    ):
        bus.meet(slow, publisher)
        bus.meet(quick, publisher)
        sent = 6_000  # of 4 KB: more than both queues (3,000 together) and the kernel's buffers hold
        for seq in range(sent):
            publisher.send(bus.spectrum(seq, frames=16))
            event = quick.receive(DEADLINE_S)
            assert event is not None
            assert (event.topic, event.seq) == ("spectrum/mic", seq)
        assert not quick.lost
        got = 0

        def said() -> int:
            nonlocal sent, got
            publisher.send(bus.spectrum(sent, frames=16))
            sent += 1
            while (event := slow.receive(timeout_s=0)) is not None:
                got += event.topic == "spectrum/mic"
            return slow.lost["spectrum/mic"]

        bus.wait_for(said, publisher)
        assert slow.lost["spectrum/mic"] + got <= sent


def test_two_publishers_do_not_mix() -> None:
    with bus.publishing() as one, bus.publishing() as two:
        one.send(bus.gate(3, "one"))
        two.send(bus.gate(5, "two"))
        with subscribe(address=one.address) as of_one, subscribe(address=two.address) as of_two:
            assert [event.topic for event in bus.receive(of_one, one, 1)] == ["gate/one"]
            assert [event.topic for event in bus.receive(of_two, two, 1)] == ["gate/two"]


def test_a_peer_that_sends_rubbish_is_passed_over() -> None:
    with bus.publishing() as publisher:
        publisher.send(bus.gate(0))
        context = zmq.Context.instance()
        with context.socket(zmq.XSUB) as rude, subscribe("gate", address=publisher.address) as polite:
            rude.linger = 0
            rude.connect(publisher.address)
            for message in (b"", b"\x07rubbish", b"\x01\xff\xfe", b"\x00gate"):
                rude.send(message)
            assert [event.seq for event in bus.receive(polite, publisher, 1)] == [0]
            monitor = rude.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            rude.send(b"\x01" + b"x" * 100_000)
            bus.wait_for(lambda: monitor.poll(0), publisher)
            rude.disable_monitor()
            monitor.close()
            publisher.send(bus.gate(1))
            assert [event.seq for event in bus.receive(polite, publisher, 1)] == [1]


def test_with_keys_the_authorised_are_served_and_no_others(tmp_path: Path) -> None:
    [friend] = make_keys(tmp_path / "ours", ["friend"])
    [stranger] = make_keys(tmp_path / "theirs", ["stranger"])
    (stranger / "server.key").write_bytes((friend / "server.key").read_bytes())
    with bus.publishing("tcp://0.0.0.0:*", keys=tmp_path / "ours") as publisher:
        publisher.send(bus.gate(0))
        address = publisher.address.replace("0.0.0.0", "127.0.0.1")
        with (
            subscribe(address=address, keys=stranger) as refused,
            subscribe(address=address) as open_handed,
            subscribe(address=address, keys=friend) as served,
        ):
            for subscriber, text in [
                (
                    refused,
                    r"does not let these keys in: their client.key .* authorise the client with `streamer keys",
                ),
                (open_handed, r"publishes with keys and none were given; give the folder KEYS/clients/NAME"),
            ]:
                with pytest.raises(StreamError, match=text):
                    bus.receive(subscriber, publisher, 1)
            assert [event.seq for event in bus.receive(served, publisher, 1)] == [0]
            publisher.send(bus.gate(1))
            assert [event.seq for event in bus.receive(served, publisher, 1)] == [1]
            for subscriber in (refused, open_handed):
                with pytest.raises(StreamError, match=r"is closed; make another with subscribe\(\)"):
                    subscriber.receive()


def test_a_subscriber_with_keys_does_not_trust_a_publisher_without(tmp_path: Path) -> None:
    [friend] = make_keys(tmp_path)
    with bus.publishing() as publisher, subscribe(address=publisher.address, keys=friend) as subscriber:
        publisher.send(bus.gate())
        with pytest.raises(
            StreamError, match=r"publishes without keys, and keys were given \(--keys\); leave them out"
        ):
            bus.receive(subscriber, publisher, 1)


def test_a_server_key_of_another_publisher_is_named(tmp_path: Path) -> None:
    [other] = make_keys(tmp_path / "other")
    make_keys(tmp_path / "own")
    with (
        bus.publishing(keys=tmp_path / "own") as publisher,
        subscribe(address=publisher.address, keys=other) as subscriber,
        pytest.raises(
            StreamError, match=r"is not the publisher of this server.key: the key is that of another one, or"
        ),
    ):
        bus.receive(subscriber, publisher, 1)
