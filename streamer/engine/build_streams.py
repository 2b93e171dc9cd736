"""Build streams from a configuration: their names, sources, models and sinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamer.config import Config, StemsConfig, StreamConfig
from streamer.engine.stream import Ended, Stream
from streamer.errors import ConfigError, StreamerError
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.build_heads import build_heads
from streamer.pipeline.build_separation import build_separation
from streamer.pipeline.stream_models import StreamModels
from streamer.sinks.open_sinks import stream_sinks
from streamer.sinks.player import check_outputs
from streamer.sources.open_source import name_for, source_for


def make_streams(
    config: Config, realtime: bool, duration_s: float, loaded: ModelCache, running: Sequence[Stream] = ()
) -> list[Stream]:
    """The streams of a configuration, each with a name of its own, what listens to it and where its stems go.

    Parameters
    ----------
    config : Config
    realtime : bool
        Whether files take the time they last.
    duration_s : float
        How much of each is heard at most.
    loaded : ModelCache
        Where models come from, and go that it does not have yet.
    running : sequence of Stream
        Those among them that are as the configuration says are its streams; all others are new, not yet opened.

    Raises
    ------
    ModelError
        If a model is absent, altered or does not fit.
    ConfigError
        If two streams were given one name, or one output; if stems are asked for and nothing separates.
    """
    check_outputs(config.of(entry).stems for entry in config.stream)
    going_on = {
        (stream.name, stream.config): stream for stream in running if not isinstance(stream.phase, Ended)
    }
    listeners = {_heard_by(stream.config): stream.listener for stream in going_on.values()}
    streams = []
    for name, entry in zip(_names(config.stream), config.stream, strict=True):
        own = replace(config.of(entry), stream=(entry,))
        if (name, own) in going_on:
            streams.append(going_on[name, own])
            continue
        heard_by = _heard_by(own)
        try:
            if heard_by not in listeners:
                listeners[heard_by] = make_listener(own, loaded)
            source, sinks = source_for(entry, config, realtime), stream_sinks(own, realtime)
        except StreamerError as error:
            if len(config.stream) == 1:
                raise
            raise type(error)(f"stream {name}: {error}") from error
        streams.append(Stream(name, source, listeners[heard_by], duration_s, own, sinks))
    return streams


def _heard_by(config: Config) -> Config:
    """What of a stream's configuration says how it is heard, whatever its source."""
    stems = StemsConfig(publish=config.stems.wanted)  # whether there are any is all that counts
    return replace(config, stream=(StreamConfig(),), stems=stems)


def make_listener(config: Config, loaded: ModelCache) -> StreamModels:
    """What listens by a configuration.

    Parameters
    ----------
    config : Config
    loaded : ModelCache
        Where models come from, and go that it does not have yet.

    Raises
    ------
    ModelError
        If a model is absent, altered or does not fit.
    ConfigError
        If stems are asked for and nothing separates.
    """
    heads = build_heads(config, loaded)
    return StreamModels(heads, build_separation(config, heads, loaded))


def _names(entries: Sequence[StreamConfig]) -> list[str]:
    """A name for each stream, of its own."""
    given = [entry.name for entry in entries if entry.name]
    if taken := [name for name in given if given.count(name) > 1]:
        raise ConfigError(f"stream name {taken[0]!r} is taken; give each [[stream]] a name of its own")
    names: list[str] = []
    for entry in entries:
        names.append(entry.name or _free(name_for(entry.device), [*given, *names]))
    return names


def _free(name: str, taken: Sequence[str]) -> str:
    """`name`, or with the first number from 2 on that is not taken."""
    numbered = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in numbered if candidate not in taken)
