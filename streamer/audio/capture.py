"""Opening a device so that PortAudio's thread writes what it captures into a ring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cffi import FFI

from streamer.audio.devices import AudioDevice, explain, input_devices, portaudio, quiet_stderr
from streamer.audio.ring import RingBuffer
from streamer.audio.ring_kernels import capture_callback
from streamer.errors import DeviceError, StreamError


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

    def inputs(self) -> Sequence[AudioDevice]:
        """List the devices that have inputs."""

    def open(self, device: AudioDevice, block_frames: int, ring: RingBuffer) -> CaptureStream:
        """Start to capture at the ring's rate and channel count.

        Raises
        ------
        DeviceError
            If the device cannot be opened so.
        """


class PortAudio:
    """The real devices. The callback is compiled, so it waits neither for Python nor for its collector."""

    def inputs(self) -> Sequence[AudioDevice]:
        return input_devices()

    def open(self, device: AudioDevice, block_frames: int, ring: RingBuffer) -> CaptureStream:
        sounddevice = portaudio()
        try:
            with quiet_stderr():
                return _PortAudioStream(sounddevice, device, block_frames, ring)
        except sounddevice.PortAudioError as error:
            raise DeviceError(explain(error, device, ring.rate_hz, ring.channels)) from error


class _PortAudioStream:
    """A running PortAudio stream, with all that its callback touches."""

    _stream: Any = None

    def __init__(self, sounddevice: Any, device: AudioDevice, block_frames: int, ring: RingBuffer) -> None:
        self._ring = ring
        self._name = str(device)
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
