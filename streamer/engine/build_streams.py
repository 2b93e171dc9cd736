"""Build streams from a configuration: their names, sources, models and sinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from streamer.config import Config, StreamConfig
from streamer.config_sections import StemsConfig
from streamer.engine.phases import Ended
from streamer.engine.stream import Stream
from streamer.errors import ConfigError, StreamerError
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.build_heads import build_heads
from streamer.pipeline.build_separation import build_separation
from streamer.pipeline.stream_models import StreamModels
from streamer.sinks.open_sinks import stream_sinks
from streamer.sinks.player import check_outputs
from streamer.sources.open_source import name_for, source_for
from streamer.start_time import AUTOMATIC, FROM_NAME, OFF, beginning


def build_streams(
    config: Config, realtime: bool, duration_s: float, models: ModelCache, running: Sequence[Stream] = ()
) -> list[Stream]:
    """Return the streams of a configuration, each with a name, a source and sinks of its own, and with its models.

    Parameters
    ----------
    config : Config
    realtime : bool
        Whether files take the time that they last.
    duration_s : float
        Seconds of sound after which each stream ends.
    models : ModelCache
        Models that are loaded already; models that are loaded here are added.
    running : sequence of Stream
        Streams that run already. Those whose configuration has not changed are part of the result; all others in the
        result are new and not yet opened.

    Raises
    ------
    ModelError
        If a model is absent, altered or does not fit.
    ConfigError
        If two streams have the same name or output device; if stems are asked for and there is no separation model.
    """
    check_outputs(config.of(entry).stems for entry in config.stream)
    kept = {(stream.name, stream.config): stream for stream in running if not isinstance(stream.phase, Ended)}
    stream_models = {_models_key(stream.config): stream.models for stream in kept.values()}
    streams = []
    for name, entry in zip(_stream_names(config.stream), config.stream, strict=True):
        own = replace(config.of(entry), stream=(entry,))
        if (name, own) in kept:
            streams.append(kept[name, own])
            continue
        models_key = _models_key(own)
        try:
            if models_key not in stream_models:
                stream_models[models_key] = build_models(own, models)
            source, sinks = source_for(entry, config, realtime), stream_sinks(own, realtime)
            start_time = _start_time(entry, realtime)
        except StreamerError as error:
            if len(config.stream) == 1:
                raise
            raise type(error)(f"stream {name}: {error}") from error
        models_of_stream = stream_models[models_key]
        streams.append(Stream(name, source, models_of_stream, duration_s, own, sinks, start_time=start_time))
    return streams


def _start_time(entry: StreamConfig, realtime: bool) -> str:
    """Return how it is found out when a stream's recording began; a name that must tell it is looked at at once.

    Sound that is played in real time has the time at which it is played, unless it was said when it began.
    """
    setting = entry.start_time
    if not entry.device.startswith("file:"):
        return OFF
    if setting == FROM_NAME:
        beginning(setting, Path(entry.device.removeprefix("file:")).name, {}, rate_hz=1)
    return setting or (OFF if realtime else AUTOMATIC)


def _models_key(config: Config) -> Config:
    """Return the part of a stream's configuration that its models depend on: streams with equal ones share them."""
    stems = StemsConfig(publish=config.stems.wanted)  # all that counts is whether stems are wanted
    return replace(config, stream=(StreamConfig(),), stems=stems)


def build_models(config: Config, models: ModelCache) -> StreamModels:
    """Return the models that a configuration names.

    Parameters
    ----------
    config : Config
    models : ModelCache
        Models that are loaded already; models that are loaded here are added.

    Raises
    ------
    ModelError
        If a model is absent, altered or does not fit.
    ConfigError
        If stems are asked for and there is no separation model.
    """
    heads = build_heads(config, models)
    return StreamModels(heads, build_separation(config, heads, models))


def _stream_names(entries: Sequence[StreamConfig]) -> list[str]:
    """Return a name for each stream, none of them twice."""
    given = [entry.name for entry in entries if entry.name]
    if taken := [name for name in given if given.count(name) > 1]:
        raise ConfigError(f"stream name {taken[0]!r} is taken; give each [[stream]] a name of its own")
    names: list[str] = []
    for entry in entries:
        names.append(entry.name or _unused(name_for(entry.device), [*given, *names]))
    return names


def _unused(name: str, taken: Sequence[str]) -> str:
    """Return `name`, with the first number from 2 on that makes it differ from all that are taken."""
    numbered = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in numbered if candidate not in taken)
