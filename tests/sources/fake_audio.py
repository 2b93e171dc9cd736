"""Stand in for PortAudio: devices, and a capture whose ring the test writes into."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from streamer.audio.devices import AudioDevice
from streamer.audio.ring import RingBuffer
from streamer.sources.devices.microphone import MicrophoneSource

DEVICES = [
    AudioDevice("input", 0, "HDA Intel PCH: ALC257 Analog (hw:0,0)", "ALSA", 2, 48_000, False),
    AudioDevice("input", 3, "USB Microphone: Audio (hw:1,0)", "ALSA", 1, 44_100, False),
    AudioDevice("input", 4, "pulse", "ALSA", 32, 44_100, False),
    AudioDevice("input", 5, "pulse monitor", "ALSA", 32, 44_100, False),
    AudioDevice("input", 6, "default", "ALSA", 32, 44_100, True),
]


@dataclass
class FakeAudio:
    """A sound system without hardware; the test writes into the ring that was passed to it."""

    devices: list[AudioDevice] = field(default_factory=lambda: DEVICES)
    active: bool = True
    closed: int = 0
    clock_offset_s: float = 0.0
    listed_anew: int = 0

    def list_anew(self) -> None:
        self.listed_anew += 1

    def inputs(self) -> list[AudioDevice]:
        return self.devices

    def open(self, device: AudioDevice, block_frames: int, ring: RingBuffer) -> FakeAudio:
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
