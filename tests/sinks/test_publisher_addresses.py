"""Addresses of the publisher: those that it binds, takes over, or refuses with the way out."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from streamer.errors import ConfigError, StreamError
from streamer.sinks.publisher import Publisher
from streamer.wire.keys import make_keys
from streamer.wire.subscriber import subscribe
from tests import bus


@pytest.mark.parametrize("port", ["0", "*"])
def test_a_wildcard_port_is_told(port: str) -> None:
    with bus.publishing(f"tcp://127.0.0.1:{port}") as publisher:
        assert re.fullmatch(r"tcp://127\.0\.0\.1:[1-9]\d*", publisher.address)


def test_localhost_and_ipc_and_ipv6(tmp_path: Path) -> None:
    addresses = ["tcp://localhost:*", f"ipc://{tmp_path}/bus"]
    if _has_ipv6_loopback():
        addresses.append("tcp://[::1]:*")
    for address in addresses:
        with bus.publishing(address) as publisher:
            publisher.send(bus.gate(2))
            with subscribe(address=publisher.address) as late:
                assert [event.seq for event in bus.receive(late, publisher, 1)] == [2]


def test_the_address_is_the_one_wanted_until_bound() -> None:
    publisher = Publisher(bus.LOOPBACK)
    assert publisher.address == bus.LOOPBACK
    publisher.open()
    bound = publisher.address
    assert bound != bus.LOOPBACK
    taken = Publisher(publisher.address)
    with pytest.raises(StreamError, match="another program uses it"):
        taken.open()
    assert taken.address == publisher.address
    publisher.close()
    assert publisher.address == bound  # for whoever draws a last picture


def test_the_address_is_told_without_asking_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with bus.publishing() as publisher, monkeypatch.context() as patch:
        patch.delattr(publisher, "_socket")  # which belongs to the engine's thread
        assert re.fullmatch(r"tcp://127\.0\.0\.1:\d+", publisher.address)


def test_closing_twice_and_opening_again_is_harmless() -> None:
    publisher = Publisher(bus.LOOPBACK)
    publisher.close()
    publisher.open()
    address = publisher.address
    publisher.close()
    publisher.close()
    with bus.publishing(address) as again:
        assert again.address == address


def test_an_occupied_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    for address in (bus.LOOPBACK, f"ipc://{tmp_path}/bus"):
        with bus.publishing(address) as first:
            text = (
                rf"cannot publish on {re.escape(first.address)}: another program uses it.*--bind 'tcp://127"
            )
            with pytest.raises(StreamError, match=text), bus.publishing(first.address):
                pass
            first.send(bus.gate())
            with subscribe(address=first.address) as late:  # the first one is unharmed
                assert len(bus.receive(late, first, 1)) == 1


def test_a_file_in_the_way_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary")
    with pytest.raises(ConfigError, match=r"notes\.txt is a file or folder; give a path that is free"):
        Publisher(f"ipc://{path}").open()
    assert path.read_text() == "dear diary"


def test_a_socket_left_behind_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "bus"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with bus.publishing(f"ipc://{path}") as publisher:
        assert publisher.address == f"ipc://{path}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "here",
        "7765",
        "127.0.0.1:7765",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://:7765",
        "udp://127.0.0.1:7765",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:-1",
        "tcp://127.0.0.1:port",
        "tcp://::1:7765",
        "ipc://",
        "inproc://x",
    ],
)
def test_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"got the address '{re.escape(address)}'; expected tcp://HOST:PORT"
    ):
        Publisher(address).open()


@pytest.mark.parametrize("address", ["tcp://127.0.0.300:*", "tcp://nowhere0:*"])
def test_refuses_a_host_that_is_not_here(address: str, tmp_path: Path) -> None:
    make_keys(tmp_path)
    text = rf"cannot publish on {re.escape(address)} \(.*expected an address of this machine that you may use"
    with pytest.raises(ConfigError, match=text):
        Publisher(address, tmp_path).open()


@pytest.mark.parametrize(
    "address",
    [
        "tcp://*:7765",
        "tcp://0.0.0.0:7765",
        "tcp://192.168.1.2:7765",
        "tcp://[::]:7765",
        "tcp://eth0:7765",
        "tcp://128.0.0.1:7765",
        "tcp://localhost.example.org:7765",
        "tcp://127.0.0.1.example.org:7765",
    ],
)
def test_refuses_to_leave_this_machine_without_keys(address: str) -> None:
    text = rf"{re.escape(address)} can be reached from other machines.*`streamer keys DIR`, then add `--keys DIR`"
    with pytest.raises(ConfigError, match=text):
        Publisher(address).open()


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
