"""``streamer listen``: label live sound until it ends, or until the process is asked to stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.helpers.amount import SECONDS
from streamer.cli.helpers.options import (
    channel_option,
    clock_option,
    engine_options,
    model_options,
    option_config,
    pcm_config,
    start_time_option,
    track_option,
)
from streamer.cli.helpers.quick_start import quick_start
from streamer.cli.helpers.signals import HangupSignal
from streamer.cli.helpers.terminal import leave, standard_output
from streamer.config import Config, StreamConfig
from streamer.config_sections import DEFAULT_ADDRESS, STEMS
from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.engine.stream import Stream
    from streamer.engine.summary import Summary
    from streamer.sinks.sink import Sink
    from streamer.sinks.view import View

PICTURE_S = 0.125
"""Seconds between two pictures of the live view: often enough for a level, seldom enough for the machine."""


@click.command(short_help="Label live sound, and publish what is found.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="DEVICE",
    help="Input to listen to; repeatable: mic, auto (mic, or the bundled recording if there is none), pulse:NAME, an "
    "input's index or part of its name, file:PATH, a URL, or - for raw PCM on standard input.  [default: auto]",
)
@click.option("--bind", metavar="ADDRESS", help=f"Address to publish on.  [default: {DEFAULT_ADDRESS}]")
@click.option(
    "--keys",
    metavar="DIR",
    help="Folder of CURVE keys (see `streamer keys`), which publishing to other machines needs.",
)
@model_options
@engine_options
@channel_option
@track_option
@start_time_option
@clock_option
@click.option("--stems", is_flag=True, help="Publish the voice and the music stem, while there is music.")
@click.option(
    "--stems-to",
    metavar="DIR",
    help="Write the voice and the music stem into files in DIR, while there is music.",
)
@click.option(
    "--play", type=click.Choice(STEMS), help="Play the voice or the music stem live, while there is music."
)
@click.option(
    "--output",
    metavar="DEVICE",
    help="Output for --play: its index or part of its name.  [default: default]",
)
@click.option(
    "--store",
    metavar="FILE",
    help="Keep what is heard in FILE, a database, for `streamer report` and `streamer search`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every message as a line of JSON.")
@click.option(
    "--duration",
    "duration_s",
    type=SECONDS,
    help="Seconds of sound to process in each stream; time in which a live one is away counts as well.",
)
@click.option(
    "--realtime/--fast",
    default=True,
    help="Play files in real time, or read them as fast as possible.  [default: realtime]",
)
@click.option(
    "--reconnect/--no-reconnect",
    default=None,
    help="Open a live source again that broke off, for as long as it takes, or end.  [default: reconnect]",
)
@click.option(
    "--wait",
    is_flag=True,
    help="Wait for a microphone or a live stream that is not there yet, for --duration at most.",
)
@click.option(
    "--pcm",
    "pcm_format",
    metavar="RATE:CHANNELS:ENCODING",
    help="Format of raw PCM on standard input and named pipes, such as 48000:2:f32le or 16000:1:S16_LE.",
)
@click.argument("without_option", nargs=-1, metavar="")
def listen(
    without_option: tuple[str, ...],
    devices: tuple[str, ...],
    bind: str | None,
    keys: str | None,
    config_path: Path | None,
    models: tuple[str, ...],
    prefer: str | None,
    backend: str | None,
    threads: int | None,
    channel: int | None,
    track: str | None,
    start_time: str | None,
    clock: str | None,
    stems: bool,
    stems_to: str | None,
    play: str | None,
    output: str | None,
    store: str | None,
    as_json: bool,
    duration_s: float | None,
    realtime: bool,
    reconnect: bool | None,
    wait: bool,
    pcm_format: str | None,
) -> None:
    """Label live sound and publish what is found, until Ctrl-C or the end of the sound."""
    from streamer.api.configure import changed, with_history, with_stems, with_streams
    from streamer.sinks.publisher import check_publishing
    from streamer.sources.devices.auto_device import resolve_auto

    if without_option:
        one = without_option[0]
        named = f"file:{one}" if Path(one).is_file() else one
        raise ConfigError(f"got {one!r} without an option; expected an input as in --device {named}")

    def read_again() -> Config:
        if stems_to == "":
            raise ConfigError("--stems-to is empty; expected a folder")
        asked = option_config(config_path, models, prefer, backend, threads)
        entries = tuple(StreamConfig(device) for device in devices) or asked.stream
        found = replace(
            asked,
            stream=entries,
            publish=changed(asked.publish, bind=bind, keys=keys),
            engine=changed(asked.engine, reconnect=reconnect, wait=wait or None),
            pcm=asked.pcm if pcm_format is None else pcm_config(pcm_format),
        )
        found = with_streams(found, channel=channel, track=track, start_time=start_time, clock=clock)
        found = with_history(
            with_stems(found, publish=stems or None, to=stems_to, play=play, output=output), store
        )
        if output is not None and not any(found.of(entry).stems.play for entry in found.stream):
            raise ConfigError(
                f"--output is {output!r} and nothing is to be played; add --play voice or --play music"
            )
        check_publishing(found.publish)
        return replace(found, stream=resolve_auto(found.stream, _warn))  # warns: so once all else is right

    with HangupSignal() as hangup:  # early, so that a signal while models load is not lost
        again = _nothing_to_read if config_path is None else read_again
        _listen(read_again(), again, hangup, as_json, realtime, duration_s or math.inf)


def _listen(
    config: Config,
    configured_again: Callable[[], Config],
    hangup: HangupSignal,
    as_json: bool,
    realtime: bool,
    duration_s: float,
) -> None:
    """Listen with a configuration, and with the new one each time that it is read again."""
    with quick_start():
        from streamer.cli.helpers.run_engine import run_engine
        from streamer.engine.build_streams import build_streams
        from streamer.engine.engine import Engine
        from streamer.engine.reload import Reload
        from streamer.engine.warm_up import get_ready
        from streamer.inference.model_cache import ModelCache
        from streamer.sinks.open_sinks import output_sink, process_sinks

        def streams_of(config: Config, running: Sequence[Stream]) -> list[Stream]:
            return build_streams(config, realtime, duration_s, loaded, running)

        loaded = ModelCache(config.engine)
        streams = streams_of(config, ())
        get_ready(streams, config.publish)

    def tick() -> None:
        draw()
        hangup.handle(lambda: click.echo(reload.reload(engine), err=True))

    sinks = process_sinks(config, realtime)
    sink = output_sink(standard_output(), as_json, realtime, sinks)
    engine = Engine(streams, [*sinks, sink], config)
    reload = Reload(configured_again, config, streams, streams_of)
    with _view_of(sink) as draw:
        run_engine(engine, tick, PICTURE_S)
    for line in _summary(engine.summaries):
        click.echo(line, err=True)
    if sink.dropped_lines:
        click.echo(f"{sink.dropped_lines} lines were left out, because nobody read them in time", err=True)
    leave(engine.streams, engine.incomplete)


def _nothing_to_read() -> Config:
    raise ConfigError(
        "there is no file to read again; expected a start with --config: write the settings into a file, and start it "
        "anew as `streamer listen --config FILE`"
    )


@contextmanager
def _view_of(sink: Sink) -> Iterator[Callable[[], None]]:
    """Show the live view inside a ``with`` block, which gets a function that redraws it; do nothing for other sinks."""
    view = _as_view(sink)
    if view is None:
        yield lambda: None
        return
    from rich.live import Live

    with Live(view.picture(), auto_refresh=False) as live:
        yield lambda: live.update(view.picture(), refresh=True)


def _as_view(sink: Sink) -> View | None:
    """Return a sink if it is the live view, whose module is not loaded unless there is a terminal."""
    if not standard_output().isatty():
        return None
    from streamer.sinks.view import View

    return sink if isinstance(sink, View) else None


def _summary(summaries: Sequence[Summary]) -> Iterator[str]:
    """Give a line of text for each stream: how much was heard and what was lost."""
    from streamer.sinks.lines import clock

    for each in summaries:
        heard = clock(each.samples, each.rate_hz) if each.samples else "nothing"
        lost = f"dropped {each.dropped_samples} samples, {each.overruns} overruns"
        yield f"{each.name}: heard {heard}, {lost}, muted {each.muted_samples} samples"


def _warn(text: str) -> None:
    click.secho(text, err=True, fg="yellow", bold=True)
