"""Test how the sources of a sound server are listed and found, with a stand-in for `pactl`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.audio.pulse import (
    NoSoundServerError,
    default_pulse_input,
    find_pulse_input,
    pulse_inputs,
    server_is_expected,
)
from streamer.config import StreamConfig
from streamer.demo_recording import DEMO_PATH
from streamer.errors import DeviceError
from streamer.sources.devices.auto_device import resolve_auto
from streamer.sources.devices.parec import Parec

INFO = """Server String: /run/user/1000/pulse/native
Server Name: pulseaudio
Default Sample Specification: s16le 2ch 44100Hz
Default Source: alsa_input.usb-C-Media_Mono-00.mono-fallback
"""

SOURCES = """Source #1
	State: SUSPENDED
	Name: alsa_output.pci-0000_00_1f.3.analog-stereo.monitor
	Description: Monitor of Audio Interno Analógico estéreo
	Sample Specification: s16le 2ch 44100Hz
	Channel Map: front-left,front-right
	Monitor of Sink: alsa_output.pci-0000_00_1f.3.analog-stereo
	Properties:
		device.description = "Monitor of Audio Interno"
	Formats:
		pcm

Source #7
	State: RUNNING
	Name: alsa_input.usb-C-Media_Mono-00.mono-fallback
	Description: USB Audio: Mono
	Sample Specification: s16le 1ch 48000Hz
	Channel Map: mono
	Monitor of Sink: n/a
"""


@pytest.fixture
def pactl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program `pactl` with these lines of shell first on the path, and nothing else."""

    def put(lines: str) -> None:
        program = tmp_path / "pactl"
        program.write_text(f"#!/bin/sh\n{lines}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:/nonexistent")
    return put


def answering(info: str = INFO, sources: str = SOURCES) -> str:
    return f"case \"$1\" in info) echo '{info}' ;; list) echo '{sources}' ;; esac"


def test_sources_are_listed_with_all_that_is_known(pactl: Callable[[str], None]) -> None:
    pactl(answering())
    monitor, usb = pulse_inputs()
    assert (monitor.index, monitor.description) == (1, "Monitor of Audio Interno Analógico estéreo")
    assert (monitor.rate_hz, monitor.channel_map) == (44_100, ("front-left", "front-right"))
    assert (monitor.is_monitor, monitor.is_default) == (True, False)
    assert str(usb) == "pulse:alsa_input.usb-C-Media_Mono-00.mono-fallback"
    assert (usb.rate_hz, usb.channels, usb.description) == (48_000, 1, "USB Audio: Mono")
    assert (usb.is_monitor, usb.is_default) == (False, True)
    assert default_pulse_input([monitor, usb]) == usb


@pytest.mark.parametrize(
    ("wanted", "match"),
    [
        (
            "alsa_",
            r"pulse:alsa_ may mean pulse:alsa_output\..* \(Monitor of .*\), pulse:alsa_input\..*; give more",
        ),
        (
            "headset",
            r"the sound server has no source pulse:headset; there are pulse:alsa_output\..*, pulse:alsa_in",
        ),
        (
            "alsa_input.usb-C-Media_Mono.mono",
            r"no source .*; did you mean pulse:alsa_input\.usb-C-Media_Mono-00",
        ),
    ],
)
def test_a_name_that_means_no_source_or_several_is_refused(
    pactl: Callable[[str], None], wanted: str, match: str
) -> None:
    pactl(answering())
    with pytest.raises(DeviceError, match=match):
        find_pulse_input(wanted, pulse_inputs())


def test_a_part_of_a_name_or_description_is_enough(pactl: Callable[[str], None]) -> None:
    pactl(answering())
    assert find_pulse_input("usb-c-media", pulse_inputs()).index == 7
    assert find_pulse_input("analógico", pulse_inputs()).index == 1


def test_a_server_without_sources_says_what_to_do(pactl: Callable[[str], None]) -> None:
    pactl(answering(sources=""))
    assert pulse_inputs() == []
    with pytest.raises(DeviceError, match="no default source, of 0 sources; plug in a microphone"):
        default_pulse_input([])
    with pytest.raises(DeviceError, match="no source pulse:a; it has none: plug in a microphone"):
        find_pulse_input("a", [])


def test_no_program_no_server_and_no_answer_are_told_apart(
    pactl: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        NoSoundServerError, match=r"needs the program pactl, .*apt-get install pulseaudio-utils"
    ):
        pulse_inputs()
    pactl("echo 'Connection failure: Connection refused' >&2; exit 1")
    with pytest.raises(
        NoSoundServerError, match=r"\(pactl: Connection failure: Connection refused\); expected"
    ):
        pulse_inputs()
    monkeypatch.setattr("streamer.audio.pulse.ANSWER_S", 0.2)
    pactl("while :; do :; done")
    with pytest.raises(DeviceError, match=r"did not answer within 0\.2 s; .*start it again") as caught:
        pulse_inputs()
    assert not isinstance(caught.value, NoSoundServerError)


def test_a_missing_parec_says_what_to_install(pactl: Callable[[str], None]) -> None:
    with pytest.raises(NoSoundServerError, match=r"needs the program parec, .*pulseaudio-utils"):
        Parec(None, 48_000, ("mono",), True)


def test_a_server_is_expected_where_its_socket_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert not server_is_expected()
    (tmp_path / "pulse").mkdir()
    (tmp_path / "pulse" / "native").touch()
    assert server_is_expected()


def test_auto_takes_the_default_source_unless_the_server_has_no_device(pactl: Callable[[str], None]) -> None:
    said: list[str] = []
    pactl(answering())
    assert resolve_auto([StreamConfig("auto")], said.append)[0].device == "mic"
    assert said == []
    usb, dummy = "alsa_input.usb-C-Media_Mono-00.mono-fallback", "auto_null.monitor"
    pactl(answering(INFO.replace(usb, dummy), SOURCES.replace(usb, dummy)))
    assert resolve_auto([StreamConfig("auto")], said.append)[0].device == f"file:{DEMO_PATH}"
    assert "NO MICROPHONE: the sound server knows no device, only silence; plug in" in said[0]
