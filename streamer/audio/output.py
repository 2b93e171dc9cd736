"""An output device that is played on by whoever can wait for it."""

from __future__ import annotations

import atexit
from typing import Any, Protocol

from streamer.arrays import Array
from streamer.audio.devices import (
    CHANNELS_UNASKED,
    AudioDevice,
    explain,
    find_output,
    output_devices,
    portaudio,
    quiet_stderr,
)
from streamer.errors import DeviceError, StreamError


class Output(Protocol):
    """An open output device.

    Attributes
    ----------
    rate_hz, channels : int
    underruns : int
        How often the device ran out of sound.
    """

    rate_hz: int
    channels: int
    underruns: int

    def write(self, sound: Array) -> None:
        """Play float32 samples, shape (samples, channels); waits while the device has enough.

        Raises
        ------
        StreamError
            If the device failed.
        """

    def close(self) -> None:
        """Let the device play what it has, and give it back."""

    def abandon(self) -> None:
        """Leave a device that hangs in `write` as it is, so that this process can end all the same."""


class PortAudioOutput:
    """A device of this machine, at its own rate, with one or two channels.

    Parameters
    ----------
    spec : str
        "default", an index, or a name or part of one.

    Raises
    ------
    DeviceError
        If there is no such device, or it cannot be opened.
    """

    _stream: Any = None

    def __init__(self, spec: str) -> None:
        device = find_output(spec, output_devices())
        self._device = device
        self.underruns = 0
        self.rate_hz = device.default_rate_hz
        self.channels = min(device.max_channels, CHANNELS_UNASKED)
        sounddevice = portaudio()
        self._error: type[Exception] = sounddevice.PortAudioError
        self._at_exit = sounddevice._exit_handler
        try:
            with quiet_stderr():
                self._start(sounddevice, device)
        except self._error as error:
            self.close()
            raise DeviceError(explain(error, device, self.rate_hz, self.channels)) from error

    def _start(self, sounddevice: Any, device: AudioDevice) -> None:
        self._stream = sounddevice.OutputStream(
            samplerate=self.rate_hz,
            device=device.index,
            channels=self.channels,
            dtype="float32",
            latency="low",
        )
        self._stream.start()

    def write(self, sound: Array) -> None:
        try:
            self.underruns += self._stream.write(sound)
        except self._error as error:
            raise StreamError(f"{self._device} failed while it played ({error.args[0]})") from error

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.stop(ignore_errors=True)
            stream.close(ignore_errors=True)

    def abandon(self) -> None:
        atexit.unregister(self._at_exit)  # it ends PortAudio, which would wait for the device
