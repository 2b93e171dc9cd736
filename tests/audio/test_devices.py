"""Test the choice of input devices, and the texts for PortAudio's errors."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from streamer.audio.devices import AudioDevice, explain, find_input
from streamer.audio.portaudio import portaudio, quiet_stderr
from streamer.errors import DeviceError
from tests.sources.fake_audio import DEVICES


@pytest.mark.parametrize(
    ("spec", "index"), [("mic", 6), ("3", 3), ("usb", 3), ("PULSE", 4), ("alc257", 0), ("pulse m", 5)]
)
def test_a_device_is_found_by_index_or_name(spec: str, index: int) -> None:
    assert find_input(spec, DEVICES).index == index


@pytest.mark.parametrize(
    ("spec", "devices", "match"),
    [
        ("mic", [], "no input device for 'mic': this machine has none"),
        ("a/x", [], "no input device for 'a/x': .* or listen to file:a/x or a URL"),
        ("x.wav", DEVICES, r"no input device 'x\.wav'; if it is a file, say file:x\.wav; "),
        ("http:/a.org/x.mp3", DEVICES, r"; if it is on the network, say http://a\.org/x\.mp3; there"),
        ("www.a.org/x", DEVICES, r"; if it is on the network, say https://www\.a\.org/x; there"),
        ("mic", DEVICES[:2], r"no input device 'mic'; there are 0 \(HDA .*\), 3 \(USB"),
        ("1", DEVICES, "no input device '1'; there are 0 "),
        (
            "polse",
            DEVICES,
            r"no input device 'polse'; did you mean 4 \(pulse\)\? `streamer devices` lists .*pulse:NAME",
        ),
        (
            "usb",
            [*DEVICES[:1], DEVICES[2]],
            r"no input device 'usb'; there are 0 \(HDA .*\), 4 \(pulse\); `streamer devices` lists .*pulse:NAME\)$",
        ),
        ("hw:", DEVICES, r"'hw:' may mean 0 \(HDA .*\), 3 \(USB .*\); give the index"),
    ],
)
def test_a_device_that_is_not_there_is_named_with_what_is(
    spec: str, devices: list[AudioDevice], match: str
) -> None:
    with pytest.raises(DeviceError, match=match) as caught:
        find_input(spec, devices)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("Invalid sample rate", -9997), "cannot do 1000 Hz; ask for its own rate, 44100 Hz"),
        (("Invalid number of channels", -9998), "cannot do 2 channels; ask for fewer or for all 32"),
        (("Device unavailable", -9985), "is busy or gone; close the program"),
        (
            ("Unanticipated host error", -9999, (0, -13, "Permission denied")),
            "Permission denied.*group `audio`",
        ),
        (("Error querying device 6",), r"input device 6 \(default\) cannot be opened \(Error querying"),
    ],
)
def test_portaudio_errors_are_one_line_with_the_way_out(arguments: tuple[object, ...], match: str) -> None:
    with pytest.raises(DeviceError, match=match):
        raise DeviceError(explain(Exception(*arguments), DEVICES[-1], 1_000, 2))


def test_standard_error_comes_back_whoever_else_silenced_it() -> None:
    before = os.fstat(2)

    def silence() -> None:
        for _ in range(200):
            with quiet_stderr():
                pass

    threads = [threading.Thread(target=silence) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.path.samestat(os.fstat(2), before)


def test_a_missing_library_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeviceError, match=r"PortAudio's library was not found .*(libportaudio2|portaudio)$"):
        portaudio()
