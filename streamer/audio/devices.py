"""The sound devices of this machine, as PortAudio lists them."""

from __future__ import annotations

import difflib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from streamer.errors import DeviceError

_STDERR = threading.Lock()
"""Two threads at once would each put the other's nowhere back."""

CHANNELS_UNASKED = 2
"""Software devices (ALSA plug-ins, PulseAudio) claim 32 or 128 channels that are copies or silence."""

Direction: TypeAlias = Literal["input", "output"]

_INVALID_CHANNEL_COUNT = -9998
_INVALID_RATE = -9997
_DEVICE_UNAVAILABLE = -9985
"""Error codes of portaudio.h."""


@dataclass(frozen=True)
class AudioDevice:
    """A device that sound can be captured from, or played on.

    Attributes
    ----------
    direction : {"input", "output"}
        A device that has both is two.
    index : int
        PortAudio's number, as in `--device 3`; it may change when devices come and go.
    name : str
        What the driver calls it.
    host_api : str
        Which of the system's interfaces it belongs to ("ALSA", "Core Audio").
    max_channels : int
        What it claims; software devices claim many.
    default_rate_hz : int
        The rate that it runs at unless asked for another.
    is_default : bool
        Whether it is the one that is meant where none is named.
    """

    direction: Direction
    index: int
    name: str
    host_api: str
    max_channels: int
    default_rate_hz: int
    is_default: bool

    def __str__(self) -> str:
        return f"{self.direction} device {self.index} ({self.name})"


def portaudio() -> Any:
    """The `sounddevice` module, which loads and initialises PortAudio when it is first imported.

    Returns
    -------
    module

    Raises
    ------
    DeviceError
        If PortAudio's library is not there or cannot be initialised.
    """
    try:
        import sounddevice
    except OSError as error:
        command = (
            "brew install portaudio" if sys.platform == "darwin" else "sudo apt-get install libportaudio2"
        )
        raise DeviceError(f"PortAudio's library was not found ({error}); type: {command}") from error
    except Exception as error:
        # PortAudioError cannot be named here: the module that defines it is the one that failed.
        if type(error).__name__ != "PortAudioError":
            raise
        raise DeviceError(f"PortAudio could not be initialised ({error}); check the sound system") from error
    return sounddevice


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what C libraries write to standard error to nowhere for a moment.

    ALSA and PortAudio report there whatever they tried in vain, beside the error code that they return.
    """
    with _STDERR:
        sys.stderr.flush()
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def input_devices() -> list[AudioDevice]:
    """List the devices that have inputs, as they were when PortAudio was initialised.

    Returns
    -------
    list of AudioDevice
        In PortAudio's order; empty if there is none.

    Raises
    ------
    DeviceError
        If PortAudio's library is not there or cannot be initialised.
    """
    return _devices("input")


def output_devices() -> list[AudioDevice]:
    """As `input_devices`, of those that have outputs."""
    return _devices("output")


def find_input(spec: str, devices: Sequence[AudioDevice]) -> AudioDevice:
    """The input device that a user means.

    Parameters
    ----------
    spec : str
        "mic" for the default one, an index, or a name or part of one in any case.
    devices : sequence of AudioDevice
        What there is to choose from.

    Returns
    -------
    AudioDevice

    Raises
    ------
    DeviceError
        If there is none, or if more than one is meant.
    """
    if not devices:
        raise DeviceError(
            f"no input device for {spec!r}: this machine has none, or its sound system is not running or not "
            "permitted (Linux: group `audio`); plug in a microphone, or listen to file:PATH or a URL"
        )
    return _found(spec, "mic", devices)


def find_output(spec: str, devices: Sequence[AudioDevice]) -> AudioDevice:
    """The output device that a user means; as `find_input`, but that the default one is "default"."""
    if not devices:
        raise DeviceError(
            f"no output device for {spec!r}: this machine has none, or its sound system is not running or not "
            "permitted (Linux: group `audio`); plug in a loudspeaker, or leave out --play"
        )
    return _found(spec, "default", devices)


def explain(error: Exception, device: AudioDevice, rate_hz: int, channels: int) -> str:
    """PortAudio's error as one line with the way out.

    Parameters
    ----------
    error : PortAudioError
        That was raised when `device` was opened.
    device : AudioDevice
    rate_hz, channels : int
        That it was asked for.
    """
    reason, code = error.args[0], error.args[1] if len(error.args) > 1 else None
    host = f": {error.args[2][2]}" if len(error.args) > 2 else ""
    if device.direction == "output":
        # Of its own rate and channels, so there is nothing else to ask for.
        return (
            f"{device} cannot be opened with {channels} channels at {rate_hz} Hz ({reason}{host}); close the program "
            "that uses it, check that it is plugged in, or choose another (streamer devices)"
        )
    if code == _INVALID_RATE:
        return f"{device} cannot do {rate_hz} Hz; ask for its own rate, {device.default_rate_hz} Hz"
    if code == _INVALID_CHANNEL_COUNT:
        return f"{device} cannot do {channels} channels; ask for fewer or for all {device.max_channels}"
    if code == _DEVICE_UNAVAILABLE:
        return (
            f"{device} is busy or gone; close the program that uses it, or choose another (streamer devices)"
        )
    return (
        f"{device} cannot be opened ({reason}{host}); check that it is plugged in and that you may use it "
        "(Linux: group `audio`; macOS: Privacy & Security, Microphone)"
    )


def _devices(direction: Direction) -> list[AudioDevice]:
    sounddevice = portaudio()
    host_apis = sounddevice.query_hostapis()
    default_index = sounddevice.default.device[("input", "output").index(direction)]
    return [
        AudioDevice(
            direction=direction,
            index=index,
            name=device["name"],
            host_api=host_apis[device["hostapi"]]["name"],
            max_channels=device[f"max_{direction}_channels"],
            default_rate_hz=round(device["default_samplerate"]),
            is_default=index == default_index,
        )
        for index, device in enumerate(sounddevice.query_devices())
        if device[f"max_{direction}_channels"] > 0
    ]


def _found(spec: str, default: str, devices: Sequence[AudioDevice]) -> AudioDevice:
    if spec == default:
        found = [device for device in devices if device.is_default]
    elif spec.isdecimal():
        found = [device for device in devices if device.index == int(spec)]
    else:
        wanted = spec.casefold()
        found = [device for device in devices if wanted in device.name.casefold()]
        exact = [device for device in found if device.name.casefold() == wanted]
        found = exact if len(exact) == 1 else found
    if len(found) == 1:
        return found[0]
    direction = devices[0].direction
    if found:
        raise DeviceError(
            f"{direction} device {spec!r} may mean {_listed(found)}; give the index or more of the name"
        )
    raise DeviceError(f"no {direction} device {spec!r}; {_offer(spec, devices)}")


def _offer(spec: str, devices: Sequence[AudioDevice]) -> str:
    """The names near `spec`, or all of them."""
    by_name = {device.name.casefold(): device for device in devices}
    near = difflib.get_close_matches(spec.casefold(), by_name, n=3, cutoff=0.5)
    if near:
        return f"did you mean {_listed([by_name[name] for name in near])}?"
    return f"there are {_listed(devices)}"


def _listed(devices: Sequence[AudioDevice]) -> str:
    return ", ".join(f"{device.index} ({device.name})" for device in devices)
