"""Listening from configuration to summary: what `streamer listen` and `streamer analyze` do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from streamer.config import Config, StemsConfig, StreamConfig
from streamer.engine.engine import Engine
from streamer.engine.signals import StoppedBySignal
from streamer.engine.stream import Ended, Stream
from streamer.errors import ConfigError, DeviceError, StreamerError
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.build_heads import build_heads
from streamer.pipeline.build_separation import build_separation
from streamer.pipeline.stream_models import StreamModels
from streamer.sinks.lines import clock
from streamer.sinks.open_sinks import stream_sinks
from streamer.sinks.player import check_outputs
from streamer.sources.open_source import DEMO_PATH, name_for, source_for

INSTEAD = "Listening to the bundled recording instead, in real time, through the same pipeline."


def resolve_auto(streams: Sequence[StreamConfig], notice: Callable[[str], None]) -> tuple[StreamConfig, ...]:
    """Turn the device ``auto`` into the microphone or, where there is none, the bundled recording.

    Parameters
    ----------
    streams : sequence of StreamConfig
    notice : callable
        Told when there is no microphone.

    Returns
    -------
    tuple of StreamConfig
    """

    def resolved(stream: StreamConfig) -> StreamConfig:
        if stream.device != "auto":
            return stream
        from streamer.audio.devices import (  # loads PortAudio, which files do without
            find_input,
            input_devices,
        )

        try:
            find_input("mic", input_devices())
        except DeviceError as error:
            notice(f"NO MICROPHONE: {error}")
            notice(INSTEAD)
            return replace(stream, device=f"file:{DEMO_PATH}")
        return replace(stream, device="mic")

    return tuple(resolved(stream) for stream in streams)


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


def run(engine: Engine, tick: Callable[[], None], tick_s: float) -> bool:
    """Run an engine on its own thread until it is done or the process is asked to stop.

    SIGINT and SIGTERM end it in order; a second one ends the process at once.

    Parameters
    ----------
    engine : Engine
    tick : callable
        Called every `tick_s` seconds on this thread.
    tick_s : float

    Returns
    -------
    bool
        Whether it was asked to stop.

    Raises
    ------
    StreamerError
        What the engine raised.
    """
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            engine.run(stop)
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            failures.append(error)

    thread = threading.Thread(target=work, name="engine")
    with StoppedBySignal(stop) as asked:
        thread.start()
        try:
            while thread.is_alive():
                thread.join(tick_s)
                tick()
        finally:  # should that fail, the engine still ends in order
            stop.set()
            thread.join()
    if failures:
        raise failures[0]
    return asked.is_set()


def summary(streams: Sequence[Stream]) -> list[str]:
    """A line for each stream: how much was heard and what was lost."""
    lines = []
    for stream in streams:
        samples = stream.position_samples
        heard = clock(samples, stream.source.rate_hz) if samples else "nothing"
        lost = f"dropped {stream.dropped_samples} samples, {stream.overruns} overruns"
        lines.append(f"{stream.name}: heard {heard}, {lost}, muted {stream.muted_samples} samples")
    return lines


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
