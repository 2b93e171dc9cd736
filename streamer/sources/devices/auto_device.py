"""Resolve the device ``auto``: the microphone or, if there is none, the bundled recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from streamer.config import StreamConfig
from streamer.demo_recording import DEMO_PATH
from streamer.errors import DeviceError

INSTEAD = "Listening to the bundled recording instead, in real time, through the same pipeline."


def resolve_auto(streams: Sequence[StreamConfig], warn: Callable[[str], None]) -> tuple[StreamConfig, ...]:
    """Return streams in which the microphone or, if there is none, the bundled recording takes the place of ``auto``.

    Parameters
    ----------
    streams : sequence of StreamConfig
    warn : callable
        Called with a line of text, twice, if there is no microphone.

    Returns
    -------
    tuple of StreamConfig
        The streams, with all other devices unchanged.
    """
    return tuple(_resolved(stream, warn) if stream.device == "auto" else stream for stream in streams)


def _resolved(stream: StreamConfig, warn: Callable[[str], None]) -> StreamConfig:
    try:
        _find_microphone()
    except DeviceError as error:
        warn(f"NO MICROPHONE: {error}")
        warn(INSTEAD)
        return replace(stream, device=f"file:{DEMO_PATH}")
    return replace(stream, device="mic")


def _find_microphone() -> None:
    """Find the default microphone: that of the sound server or, where none runs, PortAudio's.

    Raises
    ------
    DeviceError
        If there is none.
    """
    # Loaded here, since it loads PortAudio, which files do without.
    from streamer.audio.devices import find_input, portaudio_inputs
    from streamer.audio.pulse import NoSoundServerError, default_pulse_input, pulse_inputs

    try:
        default_pulse_input(pulse_inputs())
    except NoSoundServerError:
        find_input("mic", portaudio_inputs())
