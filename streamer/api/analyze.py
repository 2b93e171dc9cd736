"""`streamer.analyze`: whole sounds to events, as fast as the machine can."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from streamer.api.configure import configured, start_time_setting
from streamer.api.event_iterator import EventIterator
from streamer.api.sound import Sound, path_of, source_of
from streamer.config import Config, StreamConfig
from streamer.engine.build_streams import build_models, build_streams
from streamer.engine.stream import Stream
from streamer.errors import ConfigError
from streamer.events.kinds import Status
from streamer.inference.model_cache import ModelCache
from streamer.sinks.event_queue import EventQueue
from streamer.sinks.open_sinks import stream_sinks
from streamer.sinks.sink import Filtered
from streamer.sources.source import Source
from streamer.start_time import FROM_NAME, FROM_TAG

logger = logging.getLogger(__name__)

MAX_WAITING = 1_000
"""Events that may wait to be taken: the analysis goes on once there is room."""


def analyze(
    sound: Sound,
    rate_hz: float | None = None,
    *,
    config: Config | str | os.PathLike[str] | None = None,
    models: Mapping[str, str | Path] | None = None,
    prefer: Literal["balanced", "precision", "recall"] | None = None,
    backend: Literal["cpu", "cuda", "torch"] | None = None,
    threads: int | None = None,
    channel: int | None = None,
    track: int | str = "",
    start_time: datetime | str | None = None,
) -> EventIterator:
    """Return an iterator over the events of a whole sound: those of listening to it live, except `Status` events.

    Parameters
    ----------
    sound : path or array, shape (samples,) or (samples, channels)
        A file, or samples: floats with a full scale of -1 to 1, or integers of 8, 16 or 32 bits with the full scale of
        their type. The first axis is time, as in soundfile and sounddevice; transpose librosa's stereo by ``.T``.
    rate_hz : float, optional
        Sample rate of an array, 4,000 to 384,000 Hz; a file has its own.
    config : Config, path or None
        All other settings, or the path of a TOML file with them; their streams are not used.
    models : mapping of str to str or Path, optional
    prefer : {"balanced", "precision", "recall"}, optional
    backend : {"cpu", "cuda", "torch"}, optional
    threads : int, optional
        As in `streamer.listen`.
    channel : int, optional
        Number, from 1, of the one channel that is heard; by default all are.
    track : int or str, optional
        Sound track of a file that has several: its number, from 1, or its language; by default the first.
    start_time : datetime or str, optional
        Time at which the sound began, in local time if it has no time zone; or ``tag`` or ``name``, which must tell it
        then; or ``off``. By default the tags of a file tell it, or else its name, if they do (`Event.time`).

    Returns
    -------
    EventIterator
        Events in the order of the sound; ``list`` makes a list of them. Analysis goes on as they are taken, so that a
        long file needs little memory. Leaving it early closes the file.

    Raises
    ------
    ConfigError
        If an option cannot be used.
    StreamError
        If the samples or their rate cannot be used; while iterating, if the file cannot be read.
    ModelError
        If a model is absent, altered or does not fit.

    Examples
    --------
    >>> import streamer
    >>> for event in streamer.analyze(streamer.DEMO_PATH, models={"sounds": "off", "genre": "off"}):
    ...     if event.kind == "gate" and event.state in ("on", "off"):
    ...         print(f"{event.start / event.rate:4.1f} s  {event.label} {event.state}")
     0.0 s  music off
     3.2 s  music on
    12.1 s  music off
    28.4 s  music on
    36.8 s  music off

    An array with its rate gives the same events:

    >>> import soundfile
    >>> samples, rate_hz = soundfile.read(streamer.DEMO_PATH)
    >>> events = list(streamer.analyze(samples, rate_hz))
    >>> sorted({event.kind for event in events})
    ['gate', 'genre', 'level', 'scores', 'singing', 'sound', 'speech']
    """
    asked = configured(config, models, prefer, backend, threads)
    path = path_of(sound)
    if path is None:
        streams = [_stream_of_array(source_of(sound, rate_hz, channel, track), start_time, asked)]
    else:
        source_of(sound, rate_hz, channel, track)  # refuses a rate beside a file
        streams = streams_of_files([path], asked, channel, start_time_setting(start_time), track)
    queue = EventQueue(MAX_WAITING)
    return _Analysis(streams, asked, queue, [Filtered(Status, queue)])


def streams_of_files(
    paths: Iterable[Path],
    config: Config,
    channel: int | None = None,
    start_time: str = "",
    track: int | str = "",
) -> list[Stream]:
    """Return a `Stream` for each file, not yet opened, which is read as fast as it can be processed.

    Parameters
    ----------
    paths : iterable of Path
    config : Config
        Its streams are not used.
    channel : int or None
        Number, from 1, of the one channel that is heard; None hears all of them.
    track : int or str
        Number or language of the sound track that is heard; empty for the first.
    start_time : str
        As of `StreamConfig`, for every file.

    Raises
    ------
    ModelError
        If a model is absent, altered or does not fit.
    ConfigError
        If the configuration asks for stems and names no separation model.
    """
    entries = tuple(
        StreamConfig(f"file:{path}", channel=channel or 0, track=track, start_time=start_time)
        for path in paths
    )
    return build_streams(
        replace(_unplayed(config), stream=entries),
        realtime=False,
        duration_s=float("inf"),
        models=ModelCache(config.engine),
    )


class _Analysis(EventIterator):
    """Iterator over the events of one sound. It logs as warnings what a `Status` would say of the sound."""

    def _raise_errors(self) -> None:
        if self._end.alive:
            for stream in self._streams:
                for warning in stream.sound_warnings:
                    logger.warning("%s: %s", stream.name, warning)
        super()._raise_errors()


def _stream_of_array(source: Source, start_time: datetime | str | None, config: Config) -> Stream:
    setting = start_time_setting(start_time)
    if setting in (FROM_TAG, FROM_NAME):
        raise ConfigError(
            f"start_time is {setting!r} for an array; expected a time: an array has neither tags nor a name"
        )
    own = replace(_unplayed(config), stream=(StreamConfig("array"),))
    sinks = stream_sinks(own, realtime=False)
    models = build_models(own, ModelCache(config.engine))
    return Stream("array", source, models, config=own, sinks=sinks, start_time=setting)


def _unplayed(config: Config) -> Config:
    """Return a configuration that plays no stem: sound that is processed faster than it lasts cannot be played."""
    return replace(config, stems=replace(config.stems, play=""))
