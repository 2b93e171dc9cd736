"""Test what the greeting of an address tells."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

import pytest
import zmq

from streamer.wire.greeting import mechanism_of
from streamer.wire.keys import make_keys
from streamer.wire.refusal import refusal
from tests import bus
from tests.programs import free_address


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:*", "ipc://{folder}/socket", "ipc://@greeting-{pid}"])
def test_a_publisher_tells_whether_it_has_keys(address: str, tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")
    bound = address.format(folder=tmp_path, pid=tmp_path.name)
    with bus.publishing(bound) as publisher:
        assert mechanism_of(publisher.address) == "NULL"
    with bus.publishing(bound, keys=tmp_path / "keys") as publisher:
        assert mechanism_of(publisher.address) == "CURVE"


def test_nobody_and_other_programs_are_told_apart() -> None:
    assert mechanism_of(free_address()) is None
    with socket.create_server(("127.0.0.1", 0)) as server:
        talks = threading.Thread(target=_say, args=(server, b"HTTP/1.1 400 Bad Request\r\n\r\n"), daemon=True)
        talks.start()
        assert mechanism_of(f"tcp://127.0.0.1:{server.getsockname()[1]}") == ""
        talks.join()


@pytest.mark.parametrize(
    ("has_keys", "match"),
    [(False, r"another program that speaks ZeroMQ \(PLAIN\)"), (True, r"another program .*\(PLAIN\)")],
)
def test_a_program_with_other_means_is_named(has_keys: bool, match: str) -> None:
    with zmq.Context.instance().socket(zmq.PUB) as other:
        other.setsockopt(zmq.PLAIN_SERVER, 1)
        port = other.bind_to_random_port("tcp://127.0.0.1")
        said = refusal(f"tcp://127.0.0.1:{port}", has_keys, is_stranger=False)
    assert re.search(match, said)


def _say(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(64)
        connection.sendall(answer)
