"""Test `streamer devices`, and listening to a sound server's sources, as whole programs."""

from __future__ import annotations

from streamer.wire.subscriber import Subscriber
from tests.programs import free_address, messages, received, running, streamer
from tests.sound_servers import SoundServer


def test_a_server_s_sources_are_listed_as_they_are_named(server: SoundServer) -> None:
    name = server.source("first")
    server.make_default(name)
    assert f"* pulse:{name}  (" in streamer("devices").stdout.decode()
    listed = messages(streamer("devices", "--json").stdout)
    (first,) = (device for device in listed if device["name"] == f"pulse:{name}")
    assert (first["direction"], first["index"], first["host_api"]) == ("input", None, "PulseAudio")
    assert (first["max_channels"], first["default_rate_hz"], first["is_default"]) == (2, 48_000, True)


def test_a_new_default_is_a_new_epoch_and_a_status(server: SoundServer) -> None:
    server.plug_in("second", 16_000, 1)
    first, second = server.source("first"), server.source("second")
    server.make_default(first)
    address = free_address()
    with (
        Subscriber(("status",), address) as subscriber,
        running("listen", "--device", "mic", "--bind", address),
    ):
        while not (status := received(subscriber, 1)[0])["stop"]:
            pass
        assert (status["rate"], status["source"], status["clock"]) == (48_000, "mic", "arrival")
        server.make_default(second)
        while not (status := received(subscriber, 1)[0])["message"]:
            pass
    assert status["message"].startswith(f"pulse:{second} is heard from here on instead of pulse:{first}: ")
    assert (status["epoch"], status["state"]) == (1, "running")


def test_a_source_that_is_not_there_is_refused_with_what_is(server: SoundServer) -> None:
    done = streamer("listen", "--device", "pulse:attic", "--bind", free_address())
    assert done.returncode == 1
    assert b"the sound server has no source pulse:attic; there are pulse:" in done.stderr
