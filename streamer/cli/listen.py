"""``streamer listen``: live sound, until it ends or is asked to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from streamer.cli.options import engine_config, engine_options, hearing_config, hearing_options, pcm_config
from streamer.cli.terminal import leave, standard_output
from streamer.config import DEFAULT_ADDRESS, STEMS, Config, StreamConfig
from streamer.engine.signals import HungUp
from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.engine.stream import Stream
    from streamer.sinks.sink import Sink

T = TypeVar("T")

PICTURE_S = 0.125
"""Between two pictures of the live view: lively for a level, cheap for the machine."""


@click.command()
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="DEVICE",
    help="What to listen to; repeatable. mic, auto (mic, or the bundled recording where there is none), an input's "
    "index or part of its name, file:PATH, a URL, or - for raw PCM on standard input.  [default: auto]",
)
@click.option("--bind", metavar="ADDRESS", help=f"Where to publish.  [default: {DEFAULT_ADDRESS}]")
@click.option("--keys", metavar="DIR", help="CURVE keys (see `streamer keys`); needed beyond loopback.")
@hearing_options
@engine_options
@click.option("--stems", is_flag=True, help="Publish voice and accompaniment apart, while there is music.")
@click.option(
    "--stems-to",
    metavar="DIR",
    help="Write voice and accompaniment into files there, while there is music.",
)
@click.option("--play", type=click.Choice(STEMS), help="Play one of them live, while there is music.")
@click.option(
    "--output",
    metavar="DEVICE",
    help="What --play plays on: an output's index or part of its name.  [default: default]",
)
@click.option("--json", "as_json", is_flag=True, help="Print every message as a line of JSON.")
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(0, min_open=True),
    help="Seconds of sound to hear in each stream.",
)
@click.option(
    "--realtime/--fast", default=True, help="Whether files take the time they last.  [default: realtime]"
)
@click.option(
    "--pcm",
    "pcm_format",
    metavar="RATE:CHANNELS:ENCODING",
    help="What comes in on standard input, as 48000:2:f32le or 16000:1:s16le.",
)
def listen(
    devices: tuple[str, ...],
    bind: str | None,
    keys: str | None,
    config_path: Path | None,
    models: tuple[str, ...],
    prefer: str | None,
    backend: str | None,
    threads: int | None,
    stems: bool,
    stems_to: str | None,
    play: str | None,
    output: str | None,
    as_json: bool,
    duration_s: float | None,
    realtime: bool,
    pcm_format: str | None,
) -> None:
    """Listen, decide and publish until Ctrl-C or the end of the sound."""
    from streamer.engine.build_streams import resolve_auto

    if duration_s is not None and not math.isfinite(duration_s):
        raise ConfigError(f"--duration is {duration_s}; expected seconds")

    def configured() -> Config:
        asked = engine_config(hearing_config(config_path, models, prefer), backend, threads)
        entries = tuple(StreamConfig(device) for device in devices) or asked.stream
        found = replace(
            asked,
            stream=resolve_auto(entries, _notice),
            publish=_changed(asked.publish, bind=bind, keys=keys),
            pcm=asked.pcm if pcm_format is None else pcm_config(pcm_format),
        )
        return _taken_apart(found, publish=stems or None, to=stems_to, play=play, output=output)

    again = _nothing_to_read if config_path is None else configured
    with HungUp() as hung_up:  # from here on, while models are loaded too
        _listen(configured(), again, hung_up, as_json, realtime, duration_s or math.inf)


def _listen(
    config: Config,
    configured_again: Callable[[], Config],
    hung_up: HungUp,
    as_json: bool,
    realtime: bool,
    duration_s: float,
) -> None:
    """Listen by a configuration, and by what it is whenever it is read again."""
    from streamer.engine.build_streams import make_streams, run, summary
    from streamer.engine.engine import Engine
    from streamer.engine.reload import Reload
    from streamer.engine.warm_up import get_ready
    from streamer.inference.model_cache import ModelCache
    from streamer.sinks.open_sinks import output_sink, process_sinks

    def streams_of(config: Config, running: Sequence[Stream]) -> list[Stream]:
        return make_streams(config, realtime, duration_s, loaded, running)

    def tick() -> None:
        draw()
        hung_up.answer(lambda: click.echo(reload.again(engine), err=True))

    loaded = ModelCache(config.engine)
    streams = streams_of(config, ())
    get_ready(streams, config.publish)
    sinks = process_sinks(config, realtime)
    sink = output_sink(standard_output(), as_json, realtime, sinks)
    engine = Engine(streams, [*sinks, sink], config)
    reload = Reload(configured_again, config, streams, streams_of)
    with _drawn(sink) as draw:
        run(engine, tick, PICTURE_S)
    for line in summary(engine.streams):
        click.echo(line, err=True)
    if sink.dropped_lines:
        click.echo(f"{sink.dropped_lines} lines were left out, because nobody read them in time", err=True)
    leave(engine.streams, engine.incomplete)


def _nothing_to_read() -> Config:
    raise ConfigError("there is no file to read again; expected a start with --config")


def _taken_apart(config: Config, **given: object) -> Config:
    """A configuration with what the command line says of stems: of all, and of a stream that has its own."""
    if given["to"] == "":
        raise ConfigError("--stems-to is empty; expected a folder")
    entries = (replace(e, stems=_changed(e.stems, **given)) if e.stems else e for e in config.stream)
    found = replace(config, stream=tuple(entries), stems=_changed(config.stems, **given))
    if given["output"] is not None and not any(found.of(entry).stems.play for entry in found.stream):
        raise ConfigError(
            f"--output is {given['output']!r} and nothing is to be played; add --play voice or --play music"
        )
    return found


def _changed(section: T, **given: object) -> T:
    """A section of the configuration with what the command line says of it."""
    return replace(section, **{key: value for key, value in given.items() if value is not None})  # type: ignore[type-var]


@contextmanager
def _drawn(sink: Sink) -> Iterator[Callable[[], None]]:
    """While entered, calling what it gives draws a view; other sinks draw nothing."""
    from streamer.sinks.view import View

    if not isinstance(sink, View):
        yield lambda: None
        return
    from rich.live import Live

    with Live(sink.picture(), auto_refresh=False) as live:
        yield lambda: live.update(sink.picture(), refresh=True)


def _notice(text: str) -> None:
    click.secho(text, err=True, fg="yellow", bold=True)
