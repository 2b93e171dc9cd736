"""Open an input device so that PortAudio's thread writes the captured sound into a ring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from cffi import FFI

from streamer.audio.devices import AudioDevice, explain, portaudio_inputs
from streamer.audio.portaudio import close_stream, list_anew, open_stream, portaudio
from streamer.errors import DeviceError, StreamError

if TYPE_CHECKING:
    from streamer.audio.ring import RingBuffer


class CaptureStream(Protocol):
    """An open input device that writes into a ring."""

    @property
    def active(self) -> bool:
        """Whether the device still captures; False once it was unplugged or has failed.

        Raises
        ------
        StreamError
            If the sound system gives no answer.
        """

    @property
    def time_s(self) -> float:
        """Current time, in seconds on the clock of the capture times in the ring.

        Raises
        ------
        StreamError
            If the sound system gives no answer.
        """

    def close(self) -> None:
        """Stop and release the device. Nothing is written to the ring afterwards."""


class AudioSystem(Protocol):
    """List and open input devices: PortAudio, or a stand-in for it in tests."""

    def inputs(self) -> Sequence[AudioDevice]:
        """Return the devices that have inputs, as they were when they were last listed anew."""

    def list_anew(self) -> None:
        """Let `inputs` return the devices that came meanwhile, unless a device of this process is open."""

    def open(self, device: AudioDevice, block_frames: int, ring: RingBuffer) -> CaptureStream:
        """Open a device that writes into `ring`, at the ring's rate and channel count, in blocks of `block_frames`.

        Raises
        ------
        DeviceError
            If the device cannot be opened at this rate with this channel count.
        """


class PortAudio:
    """The input devices of this machine, which PortAudio lists and opens.

    PortAudio calls compiled code with each block of sound, which copies it into the ring. So the capture waits for
    neither the interpreter nor the garbage collector.
    """

    def inputs(self) -> Sequence[AudioDevice]:
        return portaudio_inputs()

    def list_anew(self) -> None:
        list_anew()

    def open(self, device: AudioDevice, block_frames: int, ring: RingBuffer) -> CaptureStream:
        sounddevice = portaudio()
        try:
            return _PortAudioStream(sounddevice, device, block_frames, ring)
        except sounddevice.PortAudioError as error:
            raise DeviceError(explain(error, device, ring.rate_hz, ring.channels)) from error


class _PortAudioStream:
    """A running PortAudio stream.

    It holds references to the ring and the callback, so that neither is freed while PortAudio uses them.
    """

    _stream: Any = None

    def __init__(self, sounddevice: Any, device: AudioDevice, block_frames: int, ring: RingBuffer) -> None:
        from streamer.audio.ring_kernels import capture_callback  # here, since it loads numba

        self._ring = ring
        self._name = str(device)
        self._error: type[Exception] = sounddevice.PortAudioError
        self._callback = capture_callback()
        ffi = FFI()
        self._stream = open_stream(
            # sounddevice documents this class for libraries that bring a C callback of their own.
            lambda: sounddevice._StreamBase(
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
        )

    @property
    def active(self) -> bool:
        return self._stream is not None and bool(self._property("active"))

    @property
    def time_s(self) -> float:
        return float(self._property("time"))

    def _property(self, name: str) -> Any:
        """Return a property of the PortAudio stream; reading it fails when the sound system has ended."""
        try:
            return getattr(self._stream, name)
        except self._error as error:
            raise StreamError(
                f"{self._name} failed while it ran ({error.args[0]}); check that it is plugged in and that the "
                "sound system runs, and start again"
            ) from error

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            close_stream(stream, self._abort)

    def _abort(self, stream: Any) -> None:
        """Stop a stream. As a method it keeps the ring until a device that hangs has stopped writing into it."""
        stream.abort(ignore_errors=True)

    def __del__(self) -> None:
        # A stream that is dropped without close() would go on writing into freed memory.
        self.close()
