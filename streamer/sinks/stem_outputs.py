"""Where the stems of a stream go, besides to who subscribes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from streamer.audio.output import PortAudioOutput
from streamer.config import StemsConfig
from streamer.errors import ConfigError
from streamer.sinks.player import Player
from streamer.sinks.sink import Sink
from streamer.sinks.stem_files import LiveStemFiles, StemFiles


def stem_sinks(stems: StemsConfig, realtime: bool) -> list[Sink]:
    """What plays a stream's stems and writes them into files, as far as either is wanted.

    Parameters
    ----------
    stems : StemsConfig
    realtime : bool
        Whether the sound takes the time it lasts: then it cannot wait for a disk.

    Raises
    ------
    ConfigError
        If what is heard as fast as possible is to be played.
    """
    sinks: list[Sink] = []
    if stems.play:
        if not realtime:
            raise ConfigError(
                f"{stems.play} of sound that is heard as fast as possible is to be played; leave --fast or --play out"
            )
        sinks.append(Player(stems.play, partial(PortAudioOutput, stems.output)))
    if stems.to:
        files = LiveStemFiles if realtime else StemFiles
        sinks.append(files(Path(stems.to), stems.form))
    return sinks


def check_outputs(streams: Iterable[StemsConfig]) -> None:
    """Refuse to play two streams on one device.

    Raises
    ------
    ConfigError
        Names the device and the ways out.
    """
    outputs: Sequence[str] = [stems.output for stems in streams if stems.play]
    for output in outputs:
        if (count := outputs.count(output)) > 1:
            raise ConfigError(
                f"{count} streams are to be played on the output {output!r}; expected one: set stems.play in one "
                "[[stream]] alone, or an output for each"
            )
