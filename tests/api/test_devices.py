"""Test that the Python interface lists the devices that `streamer devices` lists."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path

import pytest

import streamer as api
from tests.programs import messages, streamer
from tests.sound_servers import SoundServer


def test_inputs_are_those_of_the_command(server: SoundServer) -> None:
    server.make_default(server.source("first"))
    inputs, outputs = api.input_devices(), api.output_devices()
    assert [asdict(device) for device in (*inputs, *outputs)] == messages(
        streamer("devices", "--json").stdout
    )
    (first,) = (device for device in inputs if device.name == f"pulse:{server.source('first')}")
    assert (first.index, first.host_api, first.max_channels) == (None, "PulseAudio", 2)
    assert (first.default_rate_hz, first.is_default) == (48_000, True)
    assert first.is_monitor == (server.kind == "pulseaudio")
    assert first.description


def test_a_server_that_should_be_there_and_is_not_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    with caplog.at_level(logging.WARNING):
        assert all(device.index is not None for device in api.input_devices())
    assert "no sound server answers" in caplog.text or "needs the program pactl" in caplog.text
