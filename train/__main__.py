"""``python -m train COMMAND``: train, measure and release models."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from dataclasses import asdict
from pathlib import Path

import click

from streamer.errors import ConfigError, StreamerError
from train.config import read_config
from train.data.recordings import Split
from train.loop import train, write_config
from train.tasks.gate import GateRunConfig, GateTask
from train.tasks.gate_figures import GateFigures
from train.tasks.gate_release import release

RUNS = Path("runs")
CACHE = RUNS / "cache"
RELEASED = Path("models") / "released"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class _Command(click.Group):
    """Prints errors raised on purpose as one line."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except StreamerError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=_Command)
def main() -> None:
    """Train, measure and release Streamer's models. Data is looked for in $STREAMER_DATA."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("train").setLevel(logging.INFO)  # other libraries' notes stay out


def data_folder() -> Path:
    """``$STREAMER_DATA``, or ``../shared/data``.

    Raises
    ------
    ConfigError
        If it is no folder.
    """
    folder = Path(os.environ.get("STREAMER_DATA", "../shared/data"))
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; set STREAMER_DATA to the folder that holds the data sets")
    return folder


@main.command()
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting; repeatable.")
@click.option("--resume", type=FOLDER, help="Run to go on.")
def gate(config: Path | None, assignments: tuple[str, ...], resume: Path | None) -> None:
    """Train the music gate into runs/gate/TIME-HASH."""
    if resume:
        config = resume / "config.json"
    settings = read_config(GateRunConfig, config, assignments)
    task = GateTask(settings, data_folder(), CACHE)
    folder = resume or _new_run("gate", json.dumps(asdict(settings)))
    write_config(folder, settings)
    click.echo(folder)
    click.echo(train(task, settings.loop, folder))


@main.group()
def evaluate() -> None:
    """Measure a released model on held-out data."""


@evaluate.command("gate")
@click.option(
    "--model", type=FOLDER, default=RELEASED / "gate", help="Released-model folder.", show_default=True
)
@click.option("--split", type=click.Choice(["validation", "test"]), default="test", show_default=True)
def evaluate_gate(model: Path, split: Split) -> None:
    """Print the gate's figures as JSON."""
    click.echo(json.dumps(GateFigures(model, data_folder(), CACHE, split).all(), indent=2))


@main.group()
def export() -> None:
    """Turn a run into a released model, measured and with its card."""


@export.command("gate")
@click.option("--run", type=FOLDER, help="Folder of the run; the last one if absent.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=RELEASED / "gate", show_default=True
)
def export_gate(run: Path | None, out: Path) -> None:
    """Release the gate of a run."""
    manifest = release(run or _last_run("gate"), data_folder(), CACHE, out)
    click.echo(json.dumps(manifest.results, indent=2))


def _last_run(task: str) -> Path:
    finished = sorted((RUNS / task).glob("*/best.pt"))
    if not finished:
        raise ConfigError(f"{RUNS / task} has no run with best.pt; train one: python -m train {task}")
    return finished[-1].parent


def _new_run(task: str, described: str) -> Path:
    digest = hashlib.sha256(described.encode()).hexdigest()[:8]
    return RUNS / task / f"{time.strftime('%Y%m%d-%H%M%S')}-{digest}"


if __name__ == "__main__":
    main()
