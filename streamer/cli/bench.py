"""``streamer bench``: what listening costs on this machine, and how late it is."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.options import engine_options, model_options, option_config
from streamer.cli.terminal import standard_output
from streamer.config import Config
from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.bench.chosen import Chosen
    from streamer.bench.section import BenchSection

    Measurement = Callable[[Chosen, float], Sequence[BenchSection]]

PACKAGES = ("numba", "numpy", "onnxruntime", "pyzmq", "rocket-fft")
"""Whose versions say most about the figures."""

NARROWEST = 100
"""Characters that a line of a table may take anywhere: figures are not cut off."""


@dataclass(frozen=True)
class Asked:
    """What a user asked to be measured, and how.

    Attributes
    ----------
    config : Config
    seconds : float
        Of sound that each measurement hears.
    as_json : bool
    """

    config: Config
    seconds: float
    as_json: bool


def asking(command: Callable[[Asked], None]) -> Callable[..., None]:
    """Give a command the options of all measurements, which it takes as one."""

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
        if not math.isfinite(seconds):
            raise ConfigError(f"--seconds is {seconds}; expected seconds")
        config = option_config(config_path, models, prefer, backend, threads)
        command(Asked(config, seconds, as_json))

    run = click.option("--json", "as_json", is_flag=True, help="One JSON document in place of tables.")(run)
    run = click.option(
        "--seconds",
        type=click.FloatRange(0, min_open=True),
        default=10.0,
        show_default=True,
        help="Sound that each measurement hears.",
    )(run)
    return model_options(engine_options(run))


@click.group(invoke_without_command=True)
@asking
def bench(asked: Asked) -> None:
    """Measure what listening costs on this machine, on one thread unless told otherwise; without COMMAND, all of it.

    The machine should have nothing else to do.
    """
    context = click.get_current_context()
    if context.invoked_subcommand:
        context.default_map = dict.fromkeys(
            bench.commands, context.params
        )  # options may stand before COMMAND
        return
    from streamer.bench.frontend import frontends
    from streamer.bench.latency import latency
    from streamer.bench.models import models
    from streamer.bench.throughput import throughput

    tell(asked, [frontends, models, throughput, latency])


@bench.command("frontend")
@asking
def frontend_command(asked: Asked) -> None:
    """Microseconds a frame of every front end that the models hear."""
    from streamer.bench.frontend import frontends

    tell(asked, [frontends])


@bench.command("models")
@asking
def models_command(asked: Asked) -> None:
    """Milliseconds of a step of each model, and of a core for a second of sound."""
    from streamer.bench.models import models

    tell(asked, [models])


@bench.command("throughput")
@asking
def throughput_command(asked: Asked) -> None:
    """Streams of sound that one core carries in real time."""
    from streamer.bench.throughput import throughput

    tell(asked, [throughput])


@bench.command("latency")
@asking
def latency_command(asked: Asked) -> None:
    """Milliseconds from a sample's capture to a subscriber, over ZeroMQ on loopback, in real time."""
    from streamer.bench.latency import latency

    tell(asked, [latency])


def tell(asked: Asked, measurements: Sequence[Measurement]) -> None:
    """Measure one after the other; tables as they come, JSON at the end.

    Raises
    ------
    StreamerError
        If a model cannot be used or a measurement failed.
    """
    from rich.console import Console

    from streamer.bench.chosen import Chosen
    from streamer.bench.measure import machine, machine_text
    from streamer.bench.section import table

    chosen, here = Chosen.by(asked.config), machine(PACKAGES)
    console = Console(file=standard_output(), highlight=False)
    console.width = max(console.width, NARROWEST)
    found: dict[str, object] = {"machine": here, "versions": chosen.versions, "seconds": asked.seconds}
    if not asked.as_json:
        console.print(f"{machine_text(here)}\n{_models_text(chosen.versions)}\n", soft_wrap=True)
    for measured in measurements:
        for section in measured(chosen, asked.seconds):
            found[section.name] = section.rows
            if not asked.as_json:
                console.print(table(section))
    if asked.as_json:
        click.echo(json.dumps(found, indent=2))


def _models_text(versions: Mapping[str, str]) -> str:
    models = [name for place, name in versions.items() if place != "streamer"]
    return f"streamer {versions['streamer']} with {', '.join(models)}"
