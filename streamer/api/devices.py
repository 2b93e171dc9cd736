"""`streamer.input_devices` and `streamer.output_devices`: what this machine can hear and play with."""

from __future__ import annotations

import logging

from streamer.audio.devices import AudioDevice, portaudio_inputs, portaudio_outputs
from streamer.audio.pulse import NoSoundServerError, PulseInput, pulse_inputs, server_is_expected

logger = logging.getLogger(__name__)


def input_devices() -> list[AudioDevice]:
    """Return the devices that can be heard: sources of the sound server, then PortAudio's, as `streamer devices` does.

    Returns
    -------
    list of AudioDevice
        The `name` of each is what `streamer.listen` takes; PortAudio's devices have an `index` as well, in case that
        two have one name. PortAudio's are those that there were when this process first asked for them. Empty if there
        is none.

    Raises
    ------
    DeviceError
        If the sound server does not answer, or PortAudio's library is not there or cannot be initialised.

    Examples
    --------
    >>> import streamer
    >>> [device.name for device in streamer.input_devices() if device.is_default]  # doctest: +SKIP
    ['pulse:alsa_input.usb-microphone.mono-fallback']
    """
    # A server that hangs is asked first: it is given up, while PortAudio would wait for it.
    return [*map(_as_device, _server_inputs()), *portaudio_inputs()]


def output_devices() -> list[AudioDevice]:
    """Return the devices that can play, as PortAudio lists them; with the errors of `input_devices`."""
    return portaudio_outputs()


def _server_inputs() -> list[PulseInput]:
    """Return the sources of the sound server; none if there is no server."""
    try:
        return pulse_inputs()
    except NoSoundServerError as error:
        if server_is_expected():
            logger.warning("%s", error)
        return []


def _as_device(source: PulseInput) -> AudioDevice:
    return AudioDevice(
        direction="input",
        index=None,
        name=str(source),
        host_api="PulseAudio",
        max_channels=source.channels,
        default_rate_hz=source.rate_hz,
        is_default=source.is_default,
        description=source.description,
        is_monitor=source.is_monitor,
    )
