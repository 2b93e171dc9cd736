"""Play sound on an output device, with writes that wait for it."""

from __future__ import annotations

from typing import Any, Protocol

from streamer.arrays import Array
from streamer.audio.devices import (
    DEFAULT_CHANNELS,
    AudioDevice,
    explain,
    find_output,
    portaudio_outputs,
)
from streamer.audio.portaudio import close_stream, give_up_at_exit, list_anew, open_stream, portaudio
from streamer.errors import DeviceError, StreamError


class Output(Protocol):
    """An open output device.

    Attributes
    ----------
    rate_hz, channels : int
        Format of the sound that the device takes.
    underruns : int
        Number of times that the device ran out of sound.
    """

    rate_hz: int
    channels: int
    underruns: int

    def write(self, sound: Array) -> None:
        """Play float32 samples of shape (samples, channels); wait while the device's buffer is full.

        Raises
        ------
        StreamError
            If the device has failed.
        """

    def close(self) -> None:
        """Let the device play what its buffer holds, then release it."""

    def abandon(self) -> None:
        """Give up a device whose `write` does not return, so that this process can still exit."""


class PortAudioOutput:
    """An output device of this machine, at its own rate, with one or two channels.

    Parameters
    ----------
    spec : str
        "default", an index, or a name or part of a name.

    Raises
    ------
    DeviceError
        If there is no such device, or it cannot be opened.
    """

    _stream: Any = None

    def __init__(self, spec: str) -> None:
        list_anew()  # it may have been unplugged, or have come meanwhile
        device = find_output(spec, portaudio_outputs())
        self._device = device
        self.underruns = 0
        self.rate_hz = device.default_rate_hz
        self.channels = min(device.max_channels, DEFAULT_CHANNELS)
        sounddevice = portaudio()
        self._error: type[Exception] = sounddevice.PortAudioError
        try:
            self._stream = open_stream(lambda: self._made(sounddevice, device))
        except self._error as error:
            self.close()
            raise DeviceError(explain(error, device, self.rate_hz, self.channels)) from error

    def _made(self, sounddevice: Any, device: AudioDevice) -> Any:
        return sounddevice.OutputStream(
            samplerate=self.rate_hz,
            device=device.index,
            channels=self.channels,
            dtype="float32",
            latency="low",
        )

    def write(self, sound: Array) -> None:
        try:
            self.underruns += self._stream.write(sound)
        except self._error as error:
            raise StreamError(f"{self._device} failed while it played ({error.args[0]})") from error

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            close_stream(stream, lambda playing: playing.stop(ignore_errors=True))

    def abandon(self) -> None:
        give_up_at_exit()
