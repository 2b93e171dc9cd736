"""List the sound devices of this machine, and find the one that a user means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from streamer.audio.portaudio import portaudio
from streamer.errors import DeviceError

DEFAULT_CHANNELS = 2
"""Most channels used unless more are asked for: software devices (ALSA plug-ins, PulseAudio) claim 32 or 128
channels, which are copies or silence."""

Direction: TypeAlias = Literal["input", "output"]

_INVALID_CHANNEL_COUNT = -9998
_INVALID_RATE = -9997
_DEVICE_UNAVAILABLE = -9985
"""Error codes of portaudio.h."""


@dataclass(frozen=True)
class AudioDevice:
    """A sound device, seen as an input or as an output.

    Attributes
    ----------
    direction : {"input", "output"}
        Whether it captures or plays; a device that does both is listed twice.
    index : int or None
        PortAudio's number of the device, as in `--device 3`; it may change when devices come and go. None for a source
        of a sound server.
    name : str
        The driver's name for it; for a source of a sound server ``pulse:NAME``.
    host_api : str
        The system interface that it belongs to, such as "ALSA", "Core Audio" or "PulseAudio".
    max_channels : int
        Number of channels that the driver claims; software devices claim many.
    default_rate_hz : int
        Sample rate of the device unless another is asked for.
    is_default : bool
        Whether the system, or the sound server, uses it where none is named.
    description : str
        The sound server's name for people; empty for PortAudio's devices.
    is_monitor : bool
        Whether it hears what a loudspeaker plays, at a sound server.
    """

    direction: Direction
    index: int | None
    name: str
    host_api: str
    max_channels: int
    default_rate_hz: int
    is_default: bool
    description: str = ""
    is_monitor: bool = False

    def __str__(self) -> str:
        return f"{self.direction} device {self.index} ({self.name})"


def portaudio_inputs() -> list[AudioDevice]:
    """Return PortAudio's devices that have inputs, as they were when PortAudio was last initialised.

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


def portaudio_outputs() -> list[AudioDevice]:
    """Return PortAudio's devices that have outputs, in the order of `portaudio_inputs` and with its errors."""
    return _devices("output")


def find_input(spec: str, devices: Sequence[AudioDevice]) -> AudioDevice:
    """Return the input device that a user means.

    Parameters
    ----------
    spec : str
        "mic" for the default input, an index, or a name or a part of one, in upper or lower case.
    devices : sequence of AudioDevice
        The devices to choose from.

    Returns
    -------
    AudioDevice

    Raises
    ------
    DeviceError
        If no device matches `spec`, or more than one does.
    """
    if not devices:
        raise DeviceError(
            f"no input device for {spec!r}: this machine has none, or its sound system is not running or not "
            f"permitted (Linux: group `audio`); plug in a microphone, or listen to {_file_of(spec) or 'file:PATH'} or "
            "a URL"
        )
    return _match(spec, "mic", devices)


def find_output(spec: str, devices: Sequence[AudioDevice]) -> AudioDevice:
    """Return the output device that a user means; like `find_input`, but "default" means the default output."""
    if not devices:
        raise DeviceError(
            f"no output device for {spec!r}: this machine has none, or its sound system is not running or not "
            "permitted (Linux: group `audio`); plug in a loudspeaker, or leave out --play"
        )
    return _match(spec, "default", devices)


def explain(error: Exception, device: AudioDevice, rate_hz: int, channels: int) -> str:
    """Return one line of text that describes a PortAudio error and says what to do.

    Parameters
    ----------
    error : PortAudioError
        The error raised when `device` was opened.
    device : AudioDevice
        The device that could not be opened.
    rate_hz, channels : int
        Sample rate and channel count with which the device could not be opened.
    """
    reason, code = error.args[0], error.args[1] if len(error.args) > 1 else None
    host = f": {error.args[2][2]}" if len(error.args) > 2 else ""
    if device.direction == "output":
        # Outputs are opened at their own rate and channels, so no other format can be suggested.
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


def _match(spec: str, default: str, devices: Sequence[AudioDevice]) -> AudioDevice:
    if spec == default:
        matches = [device for device in devices if device.is_default]
    elif spec.isdecimal():
        matches = [device for device in devices if device.index == int(spec)]
    else:
        wanted = spec.casefold()
        matches = [device for device in devices if wanted in device.name.casefold()]
        exact = [device for device in matches if device.name.casefold() == wanted]
        matches = exact if len(exact) == 1 else matches
    if len(matches) == 1:
        return matches[0]
    direction = devices[0].direction
    if matches:
        raise DeviceError(
            f"{direction} device {spec!r} may mean {_listed(matches)}; give the index or more of the name"
        )
    instead = _instead_of(spec) if direction == "input" else ""
    raise DeviceError(f"no {direction} device {spec!r}; {instead}{_suggestion(spec, devices)}")


def _instead_of(spec: str) -> str:
    """Say how a URL or a file is named that `spec` looks like; empty if it looks like neither."""
    url = re.sub(
        r"^(?:www\.|(\w+):/+)", lambda begun: f"{begun[1] or 'https'}://{'' if begun[1] else begun[0]}", spec
    )
    if "://" in url:
        return f"if it is on the network, say {url}; "
    file = _file_of(spec)
    return f"if it is a file, say {file}; " if file else ""


def _file_of(spec: str) -> str:
    """Return the device of a file that `spec` may be the path of; empty if it does not look like one."""
    return f"file:{spec}" if "/" in spec or re.search(r"\w\.\w{2,4}$", spec) else ""


def _suggestion(spec: str, devices: Sequence[AudioDevice]) -> str:
    """Name the devices whose names are close to `spec`, or all of them, and the command that lists them."""
    by_name = {device.name.casefold(): device for device in devices}
    near = difflib.get_close_matches(spec.casefold(), by_name, n=3)  # at 0.5, "usb" would be near to "pulse"
    found = (
        f"did you mean {_listed([by_name[name] for name in near])}?"
        if near
        else f"there are {_listed(devices)};"
    )
    sources = ", and the sound server's sources (pulse:NAME)" if devices[0].direction == "input" else ""
    return f"{found} `streamer devices` lists what there is{sources}"


def _listed(devices: Sequence[AudioDevice]) -> str:
    return ", ".join(f"{device.index} ({device.name})" for device in devices)
