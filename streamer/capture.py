"""Opening a device so that PortAudio's thread writes what it captures into a ring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cffi import FFI

from streamer.devices import InputDevice, input_devices, portaudio, quiet_stderr
from streamer.errors import DeviceError, StreamError
from streamer.ring import RingBuffer
from streamer.ring_kernels import capture_callback

_INVALID_CHANNEL_COUNT = -9998
_INVALID_RATE = -9997
_DEVICE_UNAVAILABLE = -9985
"""Error codes of portaudio.h."""


class CaptureStream(Protocol):
    """A device that is writing into a ring."""

    @property
    def active(self) -> bool:
        """Whether it still captures; false once the device has gone.

        Raises
        ------
        StreamError
            If the sound system does not say.
        """

    @property
    def time_s(self) -> float:
        """The current time on the clock of the times in the ring.

        Raises
        ------
        StreamError
            If the sound system does not say.
        """

    def close(self) -> None:
        """Stop, and give the device back. Nothing is written afterwards."""


class AudioSystem(Protocol):
    """What lists devices and opens them: PortAudio, or a stand-in for it."""

    def inputs(self) -> Sequence[InputDevice]:
        """List the devices that have inputs."""

    def open(self, device: InputDevice, block_frames: int, ring: RingBuffer) -> CaptureStream:
        """Start to capture at the ring's rate and channel count.

        Raises
        ------
        DeviceError
            If the device cannot be opened so.
        """


class PortAudio:
    """The real devices. The callback is compiled, so it waits neither for Python nor for its collector."""

    def inputs(self) -> Sequence[InputDevice]:
        return input_devices()

    def open(self, device: InputDevice, block_frames: int, ring: RingBuffer) -> CaptureStream:
        sounddevice = portaudio()
        try:
            with quiet_stderr():
                return _PortAudioStream(sounddevice, device, block_frames, ring)
        except sounddevice.PortAudioError as error:
            raise DeviceError(explain(error, device, ring)) from error


class _PortAudioStream:
    """A running PortAudio stream, with all that its callback touches."""

    _stream: Any = None

    def __init__(self, sounddevice: Any, device: InputDevice, block_frames: int, ring: RingBuffer) -> None:
        self._ring = ring
        self._name = f"input device {device.index} ({device.name})"
        self._error: type[Exception] = sounddevice.PortAudioError
        self._callback = capture_callback()
        ffi = FFI()
        # The class that sounddevice offers to authors of libraries who bring a C callback.
        self._stream = sounddevice._StreamBase(
            kind="input",
            samplerate=ring.rate_hz,
            blocksize=block_frames,
            device=device.index,
            channels=ring.channels,
            dtype="float32",
            latency="low",
            callback=ffi.cast("void *", self._callback.address),
            userdata=ffi.cast("void *", ring.address),
        )
        self._stream.start()

    @property
    def active(self) -> bool:
        return self._stream is not None and bool(self._ask("active"))

    @property
    def time_s(self) -> float:
        return float(self._ask("time"))

    def _ask(self, what: str) -> Any:
        """A property of the stream, which may fail when the sound system ends."""
        try:
            return getattr(self._stream, what)
        except self._error as error:
            raise StreamError(
                f"{self._name} failed while it ran ({error.args[0]}); check that it is plugged in and that the "
                "sound system runs, and start again"
            ) from error

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    def __del__(self) -> None:
        # A forgotten stream would go on writing into memory that is no longer the ring's.
        self.close()


def explain(error: Exception, device: InputDevice, ring: RingBuffer) -> str:
    """PortAudio's error as one line with the way out."""
    name = f"input device {device.index} ({device.name})"
    reason, code = error.args[0], error.args[1] if len(error.args) > 1 else None
    if code == _INVALID_RATE:
        return f"{name} cannot do {ring.rate_hz} Hz; ask for its own rate, {device.default_rate_hz} Hz"
    if code == _INVALID_CHANNEL_COUNT:
        return (
            f"{name} cannot do {ring.channels} channels; ask for fewer or for all {device.max_input_channels}"
        )
    if code == _DEVICE_UNAVAILABLE:
        return f"{name} is busy or gone; close the program that uses it, or choose another (streamer devices)"
    host = f": {error.args[2][2]}" if len(error.args) > 2 else ""
    return (
        f"{name} cannot be opened ({reason}{host}); check that it is plugged in and that you may use it "
        "(Linux: group `audio`; macOS: Privacy & Security, Microphone)"
    )
