"""The microphone: choosing a device, reading it, its faults; with a stand-in, and with a real device."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from streamer.capture import CaptureStream, PortAudio, explain
from streamer.devices import InputDevice, find_input, input_devices, portaudio
from streamer.errors import DeviceError, StreamError
from streamer.ring import RingBuffer
from streamer.sources.microphone import MicrophoneSource
from streamer.sources.source import SourceCounts

ROOT = Path(__file__).resolve().parents[2]
DEVICES = [
    InputDevice(0, "HDA Intel PCH: ALC257 Analog (hw:0,0)", "ALSA", 2, 48_000, False),
    InputDevice(3, "USB Microphone: Audio (hw:1,0)", "ALSA", 1, 44_100, False),
    InputDevice(4, "pulse", "ALSA", 32, 44_100, False),
    InputDevice(5, "pulse monitor", "ALSA", 32, 44_100, False),
    InputDevice(6, "default", "ALSA", 32, 44_100, True),
]


@pytest.mark.parametrize(
    ("spec", "index"), [("mic", 6), ("3", 3), ("usb", 3), ("PULSE", 4), ("alc257", 0), ("pulse m", 5)]
)
def test_a_device_is_found_by_index_or_name(spec: str, index: int) -> None:
    assert find_input(spec, DEVICES).index == index


@pytest.mark.parametrize(
    ("spec", "devices", "match"),
    [
        ("mic", [], "no input device for 'mic': this machine has none"),
        ("mic", DEVICES[:2], r"no input device 'mic'; there are 0 \(HDA .*\), 3 \(USB"),
        ("1", DEVICES, "no input device '1'; there are 0 "),
        ("polse", DEVICES, r"no input device 'polse'; did you mean 4 \(pulse\)\?"),
        ("hw:", DEVICES, r"'hw:' may mean 0 \(HDA .*\), 3 \(USB .*\); give the index"),
    ],
)
def test_a_device_that_is_not_there_is_named_with_what_is(
    spec: str, devices: list[InputDevice], match: str
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
        raise DeviceError(explain(Exception(*arguments), DEVICES[-1], RingBuffer(10, 2, 1_000)))


def test_a_missing_library_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeviceError, match=r"PortAudio's library was not found .*(libportaudio2|portaudio)$"):
        portaudio()


@dataclass
class FakeAudio:
    """Devices without hardware; the test writes into the ring that it was given."""

    devices: list[InputDevice] = field(default_factory=lambda: DEVICES)
    active: bool = True
    closed: int = 0
    clock_offset_s: float = 0.0

    def inputs(self) -> list[InputDevice]:
        return self.devices

    def open(self, device: InputDevice, block_frames: int, ring: RingBuffer) -> FakeAudio:
        self.device, self.block_frames, self.ring = device, block_frames, ring
        return self

    @property
    def time_s(self) -> float:
        return time.monotonic() + self.clock_offset_s

    def close(self) -> None:
        self.closed += 1


def ramp(start: int, frames: int, channels: int = 2) -> np.ndarray:
    return np.repeat(np.arange(start, start + frames, dtype=np.float32)[:, None], channels, axis=1)


def opened(audio: FakeAudio, spec: str = "mic", **options: float) -> MicrophoneSource:
    source = MicrophoneSource(spec, audio=audio, **options)
    source.open()
    return source


@pytest.mark.parametrize(
    ("spec", "options", "rate_hz", "channels", "block_frames"),
    [
        ("mic", {}, 44_100, 2, 441),
        ("3", {}, 44_100, 1, 441),
        ("0", {"block_ms": 5.0}, 48_000, 2, 240),
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


def test_it_reads_what_was_captured_and_when() -> None:
    audio = FakeAudio(clock_offset_s=1_000.0)
    source = opened(audio)
    assert source.read(100) is None
    now = time.monotonic()
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
    """As sounddevice's."""


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
    monkeypatch.setattr("streamer.capture.portaudio", lambda: sounddevice)
    monkeypatch.setattr("streamer.capture.quiet_stderr", nullcontext)

    class Audio(PortAudio):
        def inputs(self) -> list[InputDevice]:
            return DEVICES

        def open(self, device: InputDevice, block_frames: int, ring: RingBuffer) -> CaptureStream:
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


def test_closing_twice_is_harmless() -> None:
    audio = FakeAudio()
    source = opened(audio)
    audio.ring.write(ramp(0, 100))
    assert not source.ended
    source.close()
    source.close()
    assert (source.ended, audio.closed) == (True, 1)
    assert (source.read(10), source.backlog_frames(), source.skip(10)) == (None, 0, 0)


RATE_HZ = 48_000
COUNTER_SCALE = 2.0**22


@contextmanager
def playing_counter(sink: str, seconds: float, path: Path) -> Iterator[None]:
    """Play the numbers 1, 2, ... over `COUNTER_SCALE`, exact in float32, one a frame."""
    np.repeat(np.arange(1, int(seconds * RATE_HZ) + 1) / COUNTER_SCALE, 2).astype("<f4").tofile(path)
    command = ["pacat", "--playback", "--raw", "--format=float32le", f"--rate={RATE_HZ}", "--channels=2"]
    with subprocess.Popen([*command, f"--device={sink}", str(path)]) as player:
        try:
            yield
        finally:
            player.kill()


def test_a_real_device_delivers_every_frame(virtual_microphone: str, tmp_path: Path) -> None:
    source = MicrophoneSource("mic", rate_hz=RATE_HZ)
    source.open()
    numbers = np.zeros(0, np.int64)
    stop = 0
    with playing_counter(virtual_microphone, 20.0, tmp_path / "counter.raw"):
        deadline = time.monotonic() + 15.0
        while len(numbers) < RATE_HZ and time.monotonic() < deadline:
            block = source.read(RATE_HZ)
            if block is None:
                time.sleep(0.005)
                continue
            assert block.start == stop
            stop = block.stop
            assert block.captured_at is not None
            assert -0.001 <= time.monotonic() - block.captured_at < 2.0
            heard = np.rint(block.samples[:, 0].astype(np.float64) * COUNTER_SCALE).astype(np.int64)
            numbers = np.concatenate([numbers, heard[heard > 0]])
    source.close()
    assert len(numbers) >= RATE_HZ
    assert (np.diff(numbers) == 1).all()
    assert source.counts == SourceCounts()


def test_a_real_device_is_listed_and_is_the_default(virtual_microphone: str) -> None:
    devices = input_devices()
    assert [device.is_default for device in devices].count(True) == 1
    assert find_input("mic", devices).max_input_channels >= 2


def test_a_real_device_refuses_a_rate_that_it_cannot_do(virtual_microphone: str) -> None:
    with pytest.raises(DeviceError, match="cannot do 1 Hz; ask for its own rate"):
        MicrophoneSource("mic", rate_hz=1, ring_s=1e-6).open()


LISTEN_UNTIL_ERROR = """
import subprocess, sys, time
from streamer.errors import StreamError
from streamer.sources.microphone import MicrophoneSource

source = MicrophoneSource("mic", stall_s=3.0)
source.open()
heard = False
deadline = time.monotonic() + 30.0
while time.monotonic() < deadline:
    try:
        block = source.read(100_000)
    except StreamError as error:
        sys.exit(f"StreamError: {error}")
    if block is not None and not heard:
        heard = True
        subprocess.run([sys.argv[1], "stop"], check=True)
    time.sleep(0.005)
"""


def test_a_sound_server_that_ends_is_an_error(virtual_microphone: str, tmp_path: Path) -> None:
    script = ROOT / "scripts" / "virtual_microphone.sh"
    own = f'TMPDIR={tmp_path}; export TMPDIR; eval "$({script} start)"; exec "$@"'
    command = ["sh", "-c", own, "sh", sys.executable, "-c", LISTEN_UNTIL_ERROR, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("StreamError: input device ")
