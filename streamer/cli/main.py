"""The command line: its commands parse options, call the Python interface and print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from streamer.cli.analyze import analyze
from streamer.cli.bench import bench
from streamer.cli.listen import listen
from streamer.cli.models import models as model_commands
from streamer.cli.reload import reload
from streamer.cli.separate import separate
from streamer.cli.teach import teach
from streamer.config import DEFAULT_ADDRESS
from streamer.errors import InterruptedByUserError, StreamerError


class _ShownError(click.ClickException):
    """Shows a StreamerError as click shows its own errors: one line, no traceback."""

    def __init__(self, error: StreamerError) -> None:
        super().__init__(str(error))
        vars(self)["exit_code"] = (
            error.exit_code
        )  # click declares it on the class and reads it from the instance


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StreamerError as error:
            if error.exit_code == 0:
                return None  # the reader of the output has closed it
            raise _ShownError(error) from error
        except KeyboardInterrupt as error:
            raise _ShownError(InterruptedByUserError("interrupted")) from error
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # click handles it
            raise _ShownError(
                StreamerError(f"{error}; the output cannot be written: write it elsewhere")
            ) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="streamer")
def main() -> None:
    """Label live audio in real time, and split voice from music."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print each device as a line of JSON.")
def devices(as_json: bool) -> None:
    """List the inputs for --device and the outputs for --output."""
    import json
    from dataclasses import asdict

    from streamer.audio.devices import input_devices, output_devices

    inputs, outputs = input_devices(), output_devices()
    if as_json:
        for device in inputs + outputs:
            click.echo(json.dumps(asdict(device)))
        return
    if not inputs:
        click.echo("no input device; a microphone shows up here once the system knows it", err=True)
    for title, found in (("inputs, for --device", inputs), ("outputs, for --output", outputs)):
        if found:
            click.echo(title)
        for device in found:
            star = "*" if device.is_default else " "
            click.echo(
                f"{star} {device.index:3d}  {device.name}  ({device.host_api}, {device.max_channels} ch, "
                f"{device.default_rate_hz:.0f} Hz)"
            )


@main.command()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="Address of the publisher.")
@click.option("--keys", metavar="DIR", default="", help="Folder of CURVE keys (see `streamer keys`).")
@click.option("--json", "as_json", is_flag=True, help="Print headers as lines of JSON.")
@click.option("--count", type=click.IntRange(1), help="Stop after this many messages.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0, min_open=True),
    help="Fail after this many seconds without a message.",
)
def subscribe(
    topics: tuple[str, ...],
    address: str,
    keys: str,
    as_json: bool,
    count: int | None,
    timeout_s: float | None,
) -> None:
    """Print messages: all of them, or those of TOPICs (gate, status, scores/mic, ...)."""
    from streamer.sinks.lines import line
    from streamer.wire.encoding import header_json
    from streamer.wire.subscriber import subscribe as subscribe_to

    shown: Callable[[Any], str] = header_json if as_json else line
    with subscribe_to(*topics, address=address, keys=keys or None, timeout_s=timeout_s) as events:
        try:
            for number, event in enumerate(events, 1):
                click.echo(shown(event))
                if number == count:
                    break
        except KeyboardInterrupt:
            click.echo("", err=True)


main.add_command(analyze)
main.add_command(bench)
main.add_command(listen)
main.add_command(model_commands)
main.add_command(reload)
main.add_command(separate)
main.add_command(teach)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="NAME",
    help="Name of a subscriber to make keys for; repeatable.",
)
def keys(folder: Path, clients: tuple[str, ...]) -> None:
    """Make CURVE keys in FOLDER, which publishing to other machines needs."""
    from streamer.wire.keys import make_keys

    for path in make_keys(folder, clients):
        click.echo(
            f"{path}: hand this folder to {path.name}, for --keys there; keep the rest of {folder} here"
        )
