"""The command line: commands parse, call and print."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from streamer.config import DEFAULT_ADDRESS, StreamConfig
from streamer.errors import ConfigError, StreamerError
from streamer.model_commands import models as model_commands
from streamer.options import hearing_config, hearing_options, pcm_config
from streamer.separate_command import separate
from streamer.teach_command import teach

if TYPE_CHECKING:
    from streamer.sinks.sink import Sink
    from streamer.stream import Stream

PICTURE_S = 0.125
"""Between two pictures of the live view: lively for a level, cheap for the machine."""


class _Shown(click.ClickException):
    """A StreamerError as click shows it: one line, no traceback."""

    def __init__(self, error: StreamerError) -> None:
        super().__init__(str(error))
        vars(self)["exit_code"] = (
            error.exit_code
        )  # click declares it for the class, and reads it off the instance


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StreamerError as error:
            if error.exit_code == 0:
                return None  # whoever read the output has had enough
            raise _Shown(error) from error
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # click knows what to do
            raise _Shown(
                StreamerError(f"{error}; the output cannot be written: write it elsewhere")
            ) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="streamer")
def main() -> None:
    """Listens to live sound and says, while it is still sounding, what it is."""


@main.command()
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
@click.option("--stems", is_flag=True, help="Publish voice and accompaniment apart, while there is music.")
@click.option(
    "--stems-to",
    metavar="DIR",
    help="Write voice and accompaniment into files there, while there is music.",
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
    stems: bool,
    stems_to: str | None,
    as_json: bool,
    duration_s: float | None,
    realtime: bool,
    pcm_format: str | None,
) -> None:
    """Listen, decide and publish until Ctrl-C or the end of the sound."""
    from streamer.listen import make_engine, make_streams, resolve_auto, run, sinks_of, summary
    from streamer.sinks.publisher import Publisher
    from streamer.sinks.stem_files import LiveStemFiles, StemFiles

    if duration_s is not None and not math.isfinite(duration_s):
        raise ConfigError(f"--duration is {duration_s}; expected seconds")
    config = hearing_config(config_path, models, prefer)
    publish = replace(
        config.publish,
        bind=config.publish.bind if bind is None else bind,
        keys=config.publish.keys if keys is None else keys,
    )
    entries = tuple(StreamConfig(device) for device in devices) or config.stream
    pcm = config.pcm if pcm_format is None else pcm_config(pcm_format)
    apart = replace(
        config.stems,
        publish=config.stems.publish or stems,
        to=config.stems.to if stems_to is None else stems_to,
    )
    config = replace(config, stream=resolve_auto(entries, _notice), publish=publish, pcm=pcm, stems=apart)
    streams = make_streams(config, realtime, duration_s or float("inf"))
    publisher = Publisher(publish.bind, publish.keys)
    sink = _sink(as_json, realtime, lambda: f"streamer · publishing on {publisher.address}")
    sinks = sinks_of(apart, [publisher, sink], LiveStemFiles if realtime else StemFiles)
    engine = make_engine(config, streams, sinks)
    with _drawn(sink) as draw:
        run(engine, draw, PICTURE_S)
    for line in summary(streams):
        click.echo(line, err=True)
    if dropped_lines := getattr(sink, "dropped_lines", 0):
        click.echo(f"{dropped_lines} lines were left out, because nobody read them in time", err=True)
    _leave(streams)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As a line of JSON each.")
def devices(as_json: bool) -> None:
    """List the inputs that --device can name."""
    import json
    from dataclasses import asdict

    from streamer.devices import input_devices

    found = input_devices()
    if not found and not as_json:
        click.echo("no input device; a microphone shows up here once the system knows it", err=True)
    for device in found:
        if as_json:
            click.echo(json.dumps(asdict(device)))
        else:
            star = "*" if device.is_default else " "
            click.echo(
                f"{star} {device.index:3d}  {device.name}  ({device.host_api}, {device.max_input_channels} ch, "
                f"{device.default_rate_hz:.0f} Hz)"
            )


@main.command()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="Where a streamer publishes.")
@click.option("--keys", metavar="DIR", default="", help="CURVE keys (see `streamer keys`).")
@click.option("--json", "as_json", is_flag=True, help="Headers as lines of JSON.")
@click.option("--count", type=click.IntRange(1), help="Leave after so many messages.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0, min_open=True),
    help="Fail after so many silent seconds.",
)
def subscribe(
    topics: tuple[str, ...],
    address: str,
    keys: str,
    as_json: bool,
    count: int | None,
    timeout_s: float | None,
) -> None:
    """Print messages: all, or those of TOPICs (gate, status, scores/mic, ...)."""
    from streamer.events import header_json
    from streamer.subscriber import subscribe as subscribe_to
    from streamer.text import line

    shown: Callable[[Any], str] = header_json if as_json else line
    with subscribe_to(*topics, address=address, keys=keys or None, timeout_s=timeout_s) as events:
        try:
            for number, event in enumerate(events, 1):
                click.echo(shown(event))
                if number == count:
                    break
        except KeyboardInterrupt:
            click.echo("", err=True)


@main.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False), metavar="FILE..."
)
@hearing_options
def analyze(
    files: tuple[Path, ...], config_path: Path | None, models: tuple[str, ...], prefer: str | None
) -> None:
    """Hear files as fast as the machine can; the messages go to standard output, a line of JSON each."""
    from streamer.analyze import analyze_files

    streams = analyze_files(files, hearing_config(config_path, models, prefer), _output())
    for stream in streams:
        if stream.muted_samples:
            click.echo(
                f"{stream.name}: {stream.muted_samples} samples were no sound (NaN, infinite) and muted",
                err=True,
            )
    _leave(streams)


main.add_command(model_commands)
main.add_command(separate)
main.add_command(teach)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--client", "clients", multiple=True, metavar="NAME", help="A subscriber to make keys for; repeatable."
)
def keys(folder: Path, clients: tuple[str, ...]) -> None:
    """Make CURVE keys in FOLDER, to publish beyond loopback."""
    from streamer.keys import make_keys

    for path in make_keys(folder, clients):
        click.echo(
            f"{path}: hand this folder to {path.name}, for --keys there; keep the rest of {folder} here"
        )


def _output() -> TextIO:
    """Standard output, which may have been closed."""
    if sys.stdout is None:
        raise ConfigError("standard output is closed; send it to a file, or to /dev/null to see nothing")
    return sys.stdout


def _sink(as_json: bool, realtime: bool, title: Callable[[], str]) -> Sink:
    """What a person or a pipe sees while listening: JSON lines, the live view on a terminal, or plain lines.

    Live sound cannot wait for a reader; files that are read as fast as possible can.
    """
    from streamer.sinks.json_lines import JsonLines, LiveJsonLines
    from streamer.sinks.lines import Lines
    from streamer.sinks.view import View

    out = _output()
    if as_json:
        return LiveJsonLines(out) if realtime else JsonLines(out)
    return View(title) if out.isatty() else Lines(out, title)


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


def _leave(streams: Sequence[Stream]) -> None:
    """Say what failed and leave with 1 if anything did."""
    failed = [stream for stream in streams if stream.error]
    for stream in failed:
        click.echo(f"Error: {stream.name}: {stream.error}", err=True)
    if failed:
        sys.exit(1)
