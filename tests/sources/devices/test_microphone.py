"""Test the microphone with a stand-in for PortAudio: formats, reading, losses, faults."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from streamer.audio.capture import CaptureStream, PortAudio
from streamer.audio.devices import AudioDevice
from streamer.audio.ring import RingBuffer
from streamer.errors import DeviceError, StreamError
from streamer.sources.devices.microphone import MicrophoneSource
from streamer.sources.source import SourceCounts
from tests.sources.fake_audio import DEVICES, FakeAudio, opened, ramp


@pytest.mark.parametrize(
    ("spec", "options", "rate_hz", "channels", "block_frames"),
    [
        ("mic", {}, 44_100, 2, 441),
        ("3", {}, 44_100, 1, 441),
        ("0", {"block_ms": 5.0}, 48_000, 2, 240),
        ("pulse", {"least_channels": 5}, 44_100, 5, 441),
        ("3", {"least_channels": 5}, 44_100, 1, 441),
        ("pulse", {"channels": 8, "rate_hz": 16_000}, 16_000, 8, 160),
    ],
)
def test_it_opens_with_the_device_s_own_format_unless_asked(
    spec: str, options: dict[str, float], rate_hz: int, channels: int, block_frames: int
) -> None:
    audio = FakeAudio()
    source = opened(audio, spec, ring_s=2.0, **options)
    assert (source.rate_hz, source.channels, audio.block_frames) == (rate_hz, channels, block_frames)
    assert (audio.ring.rate_hz, audio.ring.channels) == (rate_hz, channels)
    assert audio.ring.capacity_frames == 2 * rate_hz


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"channels": 33}, "cannot do 33 channels; expected 1 to 32"),
        ({"channels": -1}, "cannot do -1 channels"),
        ({"rate_hz": 2_000_000_000}, "cannot do 2000000000 Hz; ask for its own rate, 44100 Hz"),
        ({"rate_hz": -5}, "cannot do -5 Hz; ask for its own rate, 44100 Hz"),
    ],
)
def test_impossible_formats_are_refused(options: dict[str, float], match: str) -> None:
    with pytest.raises(DeviceError, match=match):
        opened(FakeAudio(), **options)


def test_it_reads_what_was_captured_and_when(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0  # both clocks are read one after the other: on a busy machine much may lie between
    monkeypatch.setattr(time, "monotonic", lambda: now)
    audio = FakeAudio(clock_offset_s=1_000.0)
    source = opened(audio)
    assert source.read(100) is None
    audio.ring.write(ramp(0, 441), captured_at=now + 1_000.0)
    first, second = source.read(41), source.read(1_000)
    assert first is not None
    assert second is not None
    assert (first.start, first.stop, second.start, second.stop) == (0, 41, 41, 441)
    np.testing.assert_array_equal(np.concatenate([first.samples, second.samples]), ramp(0, 441))
    assert second.captured_at == pytest.approx(now, abs=1e-4)
    assert first.captured_at == pytest.approx(now - 400 / 44_100, abs=1e-4)
    assert source.counts == SourceCounts()


def test_what_the_reader_missed_is_a_counted_jump() -> None:
    audio = FakeAudio()
    source = opened(audio, ring_s=0.01)
    audio.ring.write(ramp(0, 400))
    audio.ring.write(ramp(400, 400))
    assert source.backlog_frames() == 441
    block = source.read(1_000)
    assert block is not None
    assert block.start == block.samples[0, 0] == 359
    assert source.counts == SourceCounts(lost_frames=359)


def test_what_the_server_dropped_without_a_word_is_a_counted_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = FakeAudio()
    source = opened(audio)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    starts = []
    for tick in range(1_000):
        now += 0.01 if tick != 500 else 4.01
        audio.ring.write(ramp(0, 441))
        block = source.read(441)
        assert block is not None
        starts.append(block.start)
    jumps = np.diff(starts) - 441
    assert jumps.max() == jumps.sum() == 4 * 44_100
    assert source.counts == SourceCounts(overruns=1, lost_frames=4 * 44_100)


def test_skipping_drops_the_oldest() -> None:
    audio = FakeAudio()
    source = opened(audio)
    audio.ring.write(ramp(0, 100))
    assert source.skip(30) == 30
    block = source.read(1_000)
    assert block is not None
    assert (block.start, block.stop, source.counts.lost_frames) == (30, 100, 0)


def test_a_device_that_went_away_is_an_error_after_its_last_sound() -> None:
    audio = FakeAudio()
    source = opened(audio)
    audio.ring.write(ramp(0, 100))
    audio.active = False
    block = source.read(1_000)
    assert block is not None
    assert block.stop == 100
    with pytest.raises(StreamError, match=r"input device 6 \(default\) stopped: it was unplugged"):
        source.read(1_000)
    assert source.ended
    assert source.read(1_000) is None
    assert audio.closed == 1


def test_a_device_that_stalls_is_an_error() -> None:
    source = opened(FakeAudio(), stall_s=0.0)
    with pytest.raises(StreamError, match=r"delivered nothing for \d+\.\d s; check the sound system"):
        source.read(1_000)
    assert source.ended


class PortAudioError(Exception):
    """A stand-in for an error of sounddevice."""


class FailingStream:
    """sounddevice's stream, once the sound system has ended: one of its properties cannot be asked for."""

    def __init__(self, failing: str) -> None:
        self.failing = failing
        self.closed = 0

    def start(self) -> None:
        pass

    def tell(self, what: str, value: float) -> float:
        if what == self.failing:
            raise PortAudioError(f"Error getting stream {what}", -9988)
        return value

    @property
    def active(self) -> float:
        return self.tell("active", 1)

    @property
    def time(self) -> float:
        return self.tell("time", 7.0)

    def abort(self, ignore_errors: bool) -> None:
        assert ignore_errors

    def close(self, ignore_errors: bool) -> None:
        assert ignore_errors
        self.closed += 1


@pytest.mark.parametrize("failing", ["active", "time"])
def test_a_sound_system_that_does_not_answer_is_an_error(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    stream = FailingStream(failing)
    rings: list[RingBuffer] = []
    sounddevice = SimpleNamespace(PortAudioError=PortAudioError, _StreamBase=lambda **_: stream)
    monkeypatch.setattr("streamer.audio.capture.portaudio", lambda: sounddevice)
    monkeypatch.setattr("streamer.audio.portaudio.quiet_stderr", nullcontext)

    class Audio(PortAudio):
        def inputs(self) -> list[AudioDevice]:
            return DEVICES

        def open(self, device: AudioDevice, block_frames: int, ring: RingBuffer) -> CaptureStream:
            rings.append(ring)
            return super().open(device, block_frames, ring)

    source = MicrophoneSource(audio=Audio())
    source.open()
    rings[0].write(ramp(0, 100), captured_at=7.0)
    with pytest.raises(
        StreamError,
        match=rf"device 6 \(default\) failed while it ran \(Error getting stream {failing}\); check",
    ):
        source.read(1_000)
    assert (source.ended, stream.closed) == (True, 1)
    assert source.read(1_000) is None


def test_from_the_second_opening_on_devices_are_listed_anew() -> None:
    audio = FakeAudio(devices=DEVICES[:1])
    source = MicrophoneSource("usb", audio=audio)
    with pytest.raises(DeviceError, match="no input device 'usb'"):
        source.open()
    assert audio.listed_anew == 0
    audio.devices = DEVICES
    source.open()
    assert (audio.listed_anew, audio.device.index) == (1, 3)


def test_closing_twice_is_harmless() -> None:
    audio = FakeAudio()
    source = opened(audio)
    audio.ring.write(ramp(0, 100))
    assert not source.ended
    source.close()
    source.close()
    assert (source.ended, audio.closed) == (True, 1)
    assert (source.read(10), source.backlog_frames(), source.skip(10)) == (None, 0, 0)
