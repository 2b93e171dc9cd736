"""``streamer bench``: measure what listening costs on this machine, and how late its messages are."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.helpers.amount import SECONDS
from streamer.cli.helpers.options import engine_options, model_options, option_config
from streamer.cli.helpers.terminal import standard_output
from streamer.config import Config

if TYPE_CHECKING:
    from streamer.bench.section import BenchSection
    from streamer.bench.target import BenchTarget

    Measurement = Callable[[BenchTarget, float], Sequence[BenchSection]]

PACKAGES = ("numba", "numpy", "onnxruntime", "pyzmq", "rocket-fft")
"""Packages whose versions say most about the figures."""

NARROWEST = 100
"""Least width of a table in characters: figures are not cut off on a narrow terminal."""


@dataclass(frozen=True)
class BenchOptions:
    """The options of the command line that all measurements have.

    Attributes
    ----------
    config : Config
        Configuration with the models to be measured, their backend and its threads.
    seconds : float
        Length of the sound in each measurement.
    as_json : bool
        Whether the figures are printed as JSON instead of as tables.
    """

    config: Config
    seconds: float
    as_json: bool


def bench_options(command: Callable[[BenchOptions], None]) -> Callable[..., None]:
    """Decorate a command with the options that all measurements have; it gets them as one `BenchOptions`."""

    @functools.wraps(command)
    def run(
        config_path: Path | None,
        models: tuple[str, ...],
        prefer: str | None,
        backend: str | None,
        threads: int | None,
        seconds: float,
        as_json: bool,
    ) -> None:
        context = click.get_current_context()
        if context.invoked_subcommand:  # COMMAND gets the options that stand before it, and checks them
            context.default_map = dict.fromkeys(bench.commands, context.params)
            return
        config = option_config(config_path, models, prefer, backend, threads)
        command(BenchOptions(config, seconds, as_json))

    run = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")(
        run
    )
    run = click.option(
        "--seconds",
        type=SECONDS,
        default=10.0,
        show_default=True,
        help="Seconds of sound in each measurement.",
    )(run)
    return model_options(engine_options(run))


@click.group(invoke_without_command=True, short_help="Measure what listening costs on this machine.")
@bench_options
def bench(options: BenchOptions) -> None:
    """Measure what listening costs on this machine, on one thread by default; without COMMAND, everything.

    The machine should have nothing else to do.
    """
    from streamer.bench.frontend import frontends
    from streamer.bench.latency import latency
    from streamer.bench.models import models
    from streamer.bench.throughput import throughput

    print_measurements(options, [frontends, models, throughput, latency])


@bench.command("frontend")
@bench_options
def frontend_command(options: BenchOptions) -> None:
    """Measure the microseconds for each frame of every front end."""
    from streamer.bench.frontend import frontends

    print_measurements(options, [frontends])


@bench.command("models", short_help="Measure the milliseconds of each model's step.")
@bench_options
def models_command(options: BenchOptions) -> None:
    """Measure the milliseconds of each model's step, and of a core for a second of sound."""
    from streamer.bench.models import models

    print_measurements(options, [models])


@bench.command("throughput")
@bench_options
def throughput_command(options: BenchOptions) -> None:
    """Measure how many streams one core carries in real time."""
    from streamer.bench.throughput import throughput

    print_measurements(options, [throughput])


@bench.command("latency", short_help="Measure how late messages reach a subscriber.")
@bench_options
def latency_command(options: BenchOptions) -> None:
    """Measure the milliseconds from the capture of a sample to a subscriber, over ZeroMQ on loopback."""
    from streamer.bench.latency import latency

    print_measurements(options, [latency])


def print_measurements(options: BenchOptions, measurements: Sequence[Measurement]) -> None:
    """Run measurements one after the other and print them: each table when it is ready, JSON at the end.

    Raises
    ------
    StreamerError
        If a model cannot be used or a measurement failed.
    """
    from rich.console import Console

    from streamer.bench.measure import machine, machine_text
    from streamer.bench.section import table
    from streamer.bench.target import BenchTarget

    target, here = BenchTarget.load(options.config), machine(PACKAGES)
    console = Console(file=standard_output(), highlight=False)
    console.width = max(console.width, NARROWEST)
    found: dict[str, object] = {"machine": here, "versions": target.versions, "seconds": options.seconds}
    if not options.as_json:
        console.print(f"{machine_text(here)}\n{_models_text(target.versions)}\n", soft_wrap=True)
    for measured in measurements:
        for section in measured(target, options.seconds):
            found[section.name] = section.rows
            if not options.as_json:
                console.print(table(section))
    if options.as_json:
        click.echo(json.dumps(found, indent=2))


def _models_text(versions: Mapping[str, str]) -> str:
    models = [name for place, name in versions.items() if place != "streamer"]
    return f"streamer {versions['streamer']} with {', '.join(models)}"
