"""The player's thread: stems are played, failures are reported and tried again, and nothing holds up the engine."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.audio.devices import AudioDevice
from streamer.audio.output import PortAudioOutput
from streamer.errors import DeviceError, StreamError
from streamer.sinks import player as player_module
from streamer.sinks.player import Player
from streamer.sources.devices.microphone import MicrophoneSource
from tests import bus
from tests.audio.test_playback import HOP, RATE_HZ, stem, tone
from tests.conftest import DEADLINE_S

WINDOW = 4_800
"""Frames of a spectrum of what a microphone hears: 0.1 s."""


class FakeOutput:
    """A device that takes a chunk whenever the test does."""

    rate_hz = RATE_HZ
    channels = 1

    def __init__(self, fails_at: int = -1, error: type[Exception] = StreamError) -> None:
        self.written: queue.Queue[Array] = queue.Queue(maxsize=1)
        self.underruns = 0
        self.closed = False
        self.abandoned = False
        self._left, self._error = fails_at, error

    def write(self, sound: Array) -> None:
        if self._left == 0:
            raise self._error("output device 1 (fake) failed while it played (unplugged)")
        self._left -= 1
        self.written.put(sound, timeout=DEADLINE_S)

    def close(self) -> None:
        self.closed = True

    def abandon(self) -> None:
        self.abandoned = True

    def heard(self, chunks: int) -> Array:
        return np.concatenate([self.written.get(timeout=DEADLINE_S) for _ in range(chunks)])


def closed(player: Player, output: FakeOutput) -> Array:
    """Close a player whose device goes on, and return what it takes meanwhile."""
    closing = threading.Thread(target=player.close)
    closing.start()
    parts = [np.zeros((0, 1), np.float32)]
    while closing.is_alive() or not output.written.empty():
        try:
            parts.append(output.written.get(timeout=0.01))
        except queue.Empty:
            continue
    return np.concatenate(parts)


def test_stems_of_its_label_sound_and_else_silence() -> None:
    output = FakeOutput()
    player = Player("voice", lambda: output)
    player.open()
    assert not output.heard(3).any()
    player.send(bus.level())
    player.send(bus.stem(label="music"))
    player.send(stem(0, np.ones((20 * HOP, 1), np.float32)))
    assert output.heard(8).max() > 0.9
    closed(player, output)
    assert output.closed


def test_what_waits_at_the_end_is_played() -> None:
    output = FakeOutput()
    player = Player("voice", lambda: output)
    player.open()
    player.send(stem(0, np.ones((20 * HOP, 1), np.float32)))
    while output.heard(1).max(initial=0.0) < 0.5:
        pass
    assert np.count_nonzero(closed(player, output) > 0.9) > 2 * HOP


def test_a_device_that_is_absent_is_said_at_once() -> None:
    def absent() -> FakeOutput:
        raise DeviceError("no output device 'nothing'; there are 0 (loudspeaker)")

    player = Player("voice", absent)
    with pytest.raises(DeviceError, match="no output device 'nothing'"):
        player.open()
    player.close()


@pytest.mark.parametrize("error", [StreamError, ValueError])
def test_a_device_that_fails_is_said_and_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(player_module, "RETRY_S", 0.0)
    broken, whole = FakeOutput(2, error), FakeOutput()
    answers: list[Callable[[], FakeOutput]] = [lambda: broken, _busy, lambda: whole]
    player = Player("voice", lambda: answers.pop(0)())
    with caplog.at_level(logging.WARNING):
        player.open()
        broken.heard(2)
        whole.heard(1)
        player.send(stem(0, np.ones((20 * HOP, 1), np.float32)))
        assert whole.heard(8).max() > 0.9
        closed(player, whole)
    said = [record.message for record in caplog.records]
    assert said[0].startswith("voice is not played (")
    assert "output device 1 (fake) failed while it played (unplugged)" in said[0]
    assert said[1] == "voice is played again"
    assert broken.closed


def _busy() -> FakeOutput:
    raise DeviceError("output device 1 (fake) is busy or gone")


def test_a_device_that_takes_nothing_holds_nobody_up(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player_module, "ENDING_S", 0.05)
    output = FakeOutput()
    player = Player("voice", lambda: output)
    player.open()
    for n in range(500):
        player.send(stem(n * HOP, tone(n * HOP)))
    with caplog.at_level(logging.WARNING):
        player.close()
    assert "the output device takes no sound; it is left as it is" in caplog.text
    assert output.abandoned
    closed(player, output)


def test_it_wants_as_much_as_keeps_it_playing() -> None:
    output = FakeOutput()
    player = Player("voice", lambda: output)
    assert player.wanted_s == math.inf  # it plays nothing yet
    player.open()
    assert player.wanted_s == pytest.approx(0.07)
    player.send(stem(0, tone(0, 5 * HOP)))
    assert player.wanted_s == pytest.approx(0.02)
    player.send(stem(5 * HOP, tone(5 * HOP, 20 * HOP)))
    assert player.wanted_s == 0.0
    output.heard(1)
    closed(player, output)


def test_faults_are_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    output = FakeOutput()
    player = Player("voice", lambda: output)
    player.open()
    for n in range(8):
        player.send(stem(n * HOP, tone(n * HOP)))
    output.heard(15)
    player.send(stem(8 * HOP, tone(8 * HOP)))
    output.underruns = 3
    with caplog.at_level(logging.WARNING):
        closed(player, output)
    assert "played with faults: 0 samples left out, 1 pauses, 3 underruns" in caplog.text


def test_a_device_that_opens_and_does_not_start_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    closed_streams = []

    class Stream:
        def __init__(self, **_: object) -> None:
            pass

        def start(self) -> None:
            raise sounddevice.PortAudioError("Device unavailable", -9985)

        def stop(self, ignore_errors: bool) -> None:
            pass

        def close(self, ignore_errors: bool) -> None:
            closed_streams.append(self)

    sounddevice = pytest.importorskip("sounddevice")
    device = AudioDevice("output", 0, "loudspeaker", "ALSA", 2, 48_000, is_default=True)
    monkeypatch.setattr("streamer.audio.output.portaudio_outputs", lambda: [device])
    monkeypatch.setattr(sounddevice, "OutputStream", Stream)
    said = r"output device 0 \(loudspeaker\) cannot be opened with 2 channels at 48000 Hz \(Device unavailable\); close"
    with pytest.raises(DeviceError, match=said):
        PortAudioOutput("default")
    assert len(closed_streams) == 1


def test_devices_are_listed_anew_before_one_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged_in: list[AudioDevice] = []
    device = AudioDevice("output", 3, "headphones", "ALSA", 2, 48_000, is_default=False)
    monkeypatch.setattr("streamer.audio.output.list_anew", lambda: plugged_in.append(device))
    monkeypatch.setattr("streamer.audio.output.portaudio_outputs", lambda: plugged_in)
    monkeypatch.setattr("streamer.audio.output.open_stream", lambda _: None)
    output = PortAudioOutput("headphones")
    assert (output.rate_hz, output.channels) == (48_000, 2)


def test_a_real_device_plays_what_a_microphone_hears(virtual_microphone: str) -> None:
    microphone = MicrophoneSource("mic", rate_hz=RATE_HZ, channels=1)
    microphone.open()
    player = Player("voice", lambda: PortAudioOutput("default"))
    player.open()
    heard, sent = np.zeros(0, np.float32), 0
    deadline = time.monotonic() + DEADLINE_S
    begun = time.monotonic()
    while np.count_nonzero(np.abs(heard) > 0.1) < RATE_HZ and time.monotonic() < deadline:
        while sent < (time.monotonic() - begun) * RATE_HZ:
            player.send(stem(sent, tone(sent)))
            sent += HOP
        block = microphone.read(RATE_HZ)
        if block is None:
            time.sleep(0.005)
        else:
            heard = np.concatenate([heard, block.samples[:, 0]])
    player.close()
    microphone.close()
    windows = heard[: len(heard) // WINDOW * WINDOW].reshape(-1, WINDOW)
    loud = windows[np.abs(windows).max(axis=1) > 0.1] * np.hanning(WINDOW)
    peaks_hz = np.argmax(np.abs(np.fft.rfft(loud)), axis=1) * RATE_HZ / WINDOW
    assert np.median(peaks_hz) == pytest.approx(440.0, abs=RATE_HZ / WINDOW)  # a busy machine leaves gaps


def test_a_real_device_that_is_not_there_is_named_with_what_is(virtual_microphone: str) -> None:
    with pytest.raises(DeviceError, match=r"no output device 'gramophone'; there are .*default"):
        PortAudioOutput("gramophone")
