"""Return the source for the device that a user names."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from streamer.config import Config, StreamConfig
from streamer.errors import ConfigError
from streamer.sources.source import Source
from streamer.sources.wrappers.one_channel import OneChannel

DEFAULT_MICROPHONES = ("mic", "default")
"""Devices that mean the default microphone, whatever the sound system is."""


def source_for(stream: StreamConfig, config: Config, realtime: bool) -> Source:
    """Return the source that reads the device of a stream. It is not opened yet: nothing is read or waited for here.

    Parameters
    ----------
    stream : StreamConfig
        Configuration of the stream, with any device except ``auto``.
    config : Config
        The whole configuration, for the settings of the ring and of raw PCM.
    realtime : bool
        Whether a file is read in real time, as a microphone's sound comes, or as fast as possible.

    Returns
    -------
    Source
        Gives all channels, or the one that `stream` chooses.

    Raises
    ------
    ConfigError
        If the device is an invalid URL or a path without ``file:``, or a track is chosen of something that has none.
    """
    source = _device_source(stream, config, realtime)
    return OneChannel(source, stream.channel) if stream.channel else source


def _device_source(stream: StreamConfig, config: Config, realtime: bool) -> Source:
    """Return the source of a stream with all its channels."""
    device = stream.device
    if device == "-":
        from streamer.sources.piped import PipedSource

        return PipedSource(None, config.pcm)
    if _path_of(device).is_fifo():
        from streamer.sources.piped import PipedSource

        return PipedSource(_path_of(device), config.pcm)
    if device.startswith("file:"):
        from streamer.sources.file import FileSource
        from streamer.sources.timing.paced import Paced

        path = _path_of(device)
        source = FileSource(path, track=stream.track)
        return Paced(source) if realtime else source
    if "://" in device:
        from streamer.sources.network.url import UrlSource
        from streamer.sources.timing.paced import Paced

        url = UrlSource(device, track=stream.track)
        return Paced(url) if realtime else url
    if Path(device).is_file():
        raise ConfigError(f"device {device!r} is a file; did you mean file:{device}?")
    if stream.track:
        raise ConfigError(
            f"track is {stream.track!r} for the device {device!r}; expected none: only files and URLs have tracks"
        )
    return _microphone(stream, config.engine.ring_s)


def _microphone(stream: StreamConfig, ring_s: float) -> Source:
    """Return the source of a microphone: through the sound server if it is named so, or the default of it."""
    from streamer.audio.pulse import PREFIX
    from streamer.sources.devices.default_microphone import DefaultMicrophone
    from streamer.sources.devices.microphone import MicrophoneSource
    from streamer.sources.devices.pulse import PulseSource

    device = stream.device
    rate_hz, channels = stream.rate_hz or None, stream.channels or None
    name = device.removeprefix(PREFIX) if device.startswith(PREFIX) else None
    pulse = PulseSource(name, rate_hz=rate_hz, channels=channels, least_channels=stream.channel)
    if name is not None or device == "pulse":
        return pulse
    portaudio = MicrophoneSource(
        device, rate_hz=rate_hz, channels=channels, least_channels=stream.channel, ring_s=ring_s
    )
    return DefaultMicrophone(pulse, portaudio) if device in DEFAULT_MICROPHONES else portaudio


def name_for(device: str) -> str:
    """Return the default name of a stream: short, and without slashes and spaces, which topics cannot have.

    Raises
    ------
    ConfigError
        If `device` looks like a URL and cannot be parsed.
    """
    if device == "-":
        return "stdin"
    if device.startswith("file:") or Path(device).is_fifo():
        name = _path_of(device).stem
    elif device.startswith("pulse:"):
        name = device.removeprefix("pulse:")
    elif "://" in device:
        from streamer.sources.url_address import split_url, without_secrets

        url = split_url(without_secrets(device))
        name = PurePosixPath(url.path).stem or url.hostname or ""
    else:
        name = device
    return re.sub(r"[^\w.-]+", "-", name).strip("-") or "stream"


def _path_of(device: str) -> Path:
    """Return the path of a device: what follows ``file:``, with the home folder in place of ``~``."""
    path = Path(device.removeprefix("file:"))
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user: it may be a file of that name
        return path
