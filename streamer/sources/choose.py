"""From what a user calls a device to the source that opens it."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from pathlib import Path

from streamer.config import Config
from streamer.sources.source import Source

DEMO_PATH = Path(str(files("streamer") / "data" / "demo.ogg"))
"""The bundled recording: music, speech, everyday sounds and silence in turn."""


def source_for(device: str, config: Config, realtime: bool) -> Source:
    """The source of a device, not yet opened.

    Parameters
    ----------
    device : str
        ``mic``, an input device's index or part of its name, ``file:PATH``, a URL, or ``-`` for raw PCM on
        standard input.
    config : Config
        Ring and PCM settings.
    realtime : bool
        Whether a file falls due as a microphone's sound does, or is read as fast as possible.

    Returns
    -------
    Source
    """
    if device == "-":
        from streamer.sources.pcm import PcmSource

        pcm = config.pcm
        return PcmSource(sys.stdin.fileno(), pcm.rate_hz, pcm.channels, pcm.encoding)
    if device.startswith("file:"):
        from streamer.sources.file import FileSource
        from streamer.sources.paced import Paced

        source = FileSource(Path(device.removeprefix("file:")))
        return Paced(source) if realtime else source
    if "://" in device:
        from streamer.sources.ffmpeg import url_source

        return url_source(device)
    from streamer.sources.microphone import MicrophoneSource

    return MicrophoneSource(device, ring_s=config.engine.ring_s)


def name_for(device: str) -> str:
    """A stream's name where none was given: short, without the slash and space that topics are cut at."""
    if device == "-":
        return "stdin"
    path = device.removeprefix("file:").partition("?")[0].rstrip("/")
    stem = Path(path).stem if device.startswith("file:") or "://" in device else device
    return re.sub(r"[^\w.-]+", "-", stem).strip("-") or "stream"
