"""``python -m train COMMAND``: train, measure and release models."""

from __future__ import annotations

import dataclasses
import importlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from streamer.errors import ConfigError, StreamerError
from streamer.inference.model_folders import read_manifest
from train.data.recordings import Split
from train.loop.config import read_config
from train.loop.registry import TASKS, Evaluation, Plugin, find_plugin
from train.loop.run import CACHE, data_folder, find_run, note_evaluation, summaries

RELEASED = Path("models") / "released"
FOLDER = click.Path(file_okay=False, path_type=Path)
ELSEWHERE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cost": ("train.evaluate.cost:cost_command", "Measure what released models cost to run; JSON."),
        "cross-validate": (
            "train.loop.cross_validation:cross_validate_command",
            "Train with each fold held out in turn; mean and spread as JSON.",
        ),
        "fetch": ("train.data.debian.command:fetch_command", "Download free sound to learn from."),
        "import-yamnet": (
            "train.export.import_yamnet:import_yamnet_command",
            "Make a model folder of YAMNet.",
        ),
        "inspect": (
            "train.evaluate.inspection:inspect_command",
            "Measure a run's cost, robustness and saliency.",
        ),
        "report": ("train.report.build:report_command", "Write report.html of runs."),
        "results": ("train.report.results_command:results_command", "Write docs/results.md."),
        "transfer": ("train.transfer.command:transfer_command", "Measure YAMNet's frozen embeddings; JSON."),
    }
)
"""Commands that have a module of their own, and what they do: ``MODULE:NAME``, imported when it is asked for."""


class _Elsewhere(click.Command):
    """A command whose module is imported when it runs, or says its own help: some take seconds."""

    def __init__(self, name: str, where: str, about: str) -> None:
        super().__init__(name, short_help=about)
        self._where = where

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        module, _, name = self._where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command.make_context(*args, **options)


class _Commands(click.Group):
    """Its own commands, those elsewhere and one for each task; prints errors raised on purpose as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*TASKS, *self._others(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name in TASKS:
            return _train_command(cmd_name)
        if cmd_name in ELSEWHERE:
            return _Elsewhere(cmd_name, *ELSEWHERE[cmd_name])
        command = super().get_command(ctx, cmd_name)
        if command is None:
            raise ConfigError(
                f"no task or command {cmd_name!r}; expected a task, {', '.join(TASKS)}, or one of "
                f"{', '.join(self._others(ctx))}"
            )
        return command

    def _others(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except StreamerError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=_Commands)
def main() -> None:
    """Train, measure and release Streamer's models. Data is looked for in $STREAMER_DATA."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("train").setLevel(logging.INFO)  # other libraries' notes stay out


def _train_command(name: str) -> click.Command:
    @click.command(name, help=f"Train {name} into runs/{name}/TIME-HASH.")
    @click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="TOML file.")
    @click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting; repeatable.")
    @click.option("--fold", type=int, help="Held out for the test; as --set fold=N.")
    @click.option(
        "--name", "called", default="", help=f"Of the run's folder in runs/{name}.  [default: TIME-HASH]"
    )
    @click.option("--resume", metavar="RUN", help="Run to go on with; --set loop.KEY=VALUE changes it.")
    def command(
        config: Path | None,
        assignments: tuple[str, ...],
        fold: int | None,
        called: str,
        resume: str | None,
    ) -> None:
        from train.loop.launch import launch

        if resume and config:
            raise ConfigError("got --resume and --config; a run goes on with its own: give one of them")
        if resume and called:
            raise ConfigError("got --resume and --name; a run keeps its name: give one of them")
        run = find_run(name, resume) if resume else None
        if fold is not None:
            assignments = (*assignments, f"fold={fold}")
        plugin = find_plugin(name)
        settings = read_config(plugin.config, run / "config.json" if run else config, assignments)
        click.echo(launch(plugin, settings, data_folder(), CACHE, run, called))

    return command


def _of_run(command: Callable[..., None]) -> Callable[..., None]:
    run = click.option("--run", default="", help="Folder or name in runs/TASK; the last one if absent.")
    return click.argument("task")(run(command))


@main.command()
@click.argument("task")
@click.option("--run", help="Folder of a run, or its name in runs/TASK; it is exported first.")
@click.option("--model", type=FOLDER, help="Released-model folder.  [default: models/released/TASK]")
@click.option("--split", type=click.Choice(["validation", "test"]), default="test", show_default=True)
def evaluate(task: str, run: str | None, model: Path | None, split: Split) -> None:
    """Measure a run or a released model on held-out data; figures as JSON.

    A run takes them too, in evaluation.json, and what was said of each clip, in predictions/SPLIT.npz
    (of a separation, the figures of each, in SPLIT.json).
    """
    if run is not None and model is not None:
        raise ConfigError("got --run and --model; expected one of them")
    plugin = find_plugin(task)
    if run is None:
        released = model or _released(task)
        asked = Evaluation(released, _held_out(plugin, released), split, data_folder(), CACHE)
        figures = plugin.evaluate(asked)
    else:
        folder = find_run(task, run)
        figures = plugin.evaluate(_exported(plugin, folder, split))
        note_evaluation(folder, split, figures)
    click.echo(json.dumps(figures, indent=2))


def _released(task: str) -> Path:
    """The folder of a task's released model."""
    folder = RELEASED / task
    if not folder.is_dir():
        raise ConfigError(
            f"got neither --run nor --model, and no {task} is released; expected a run, or an exported model's folder"
        )
    return folder


def _held_out(plugin: Plugin, released: Path) -> Any:
    """The task's configuration with the folds that a released model says it did not learn from."""
    return dataclasses.replace(plugin.config(), **read_manifest(released).results.get("held out", {}))


def _exported(plugin: Plugin, run: Path, split: Split) -> Evaluation:
    model = run
    if plugin.steps:
        model = run / "exported"
        plugin.export(run, model)
    config = read_config(plugin.config, run / "config.json")
    return Evaluation(model, config, split, data_folder(), CACHE, run / "predictions")


@main.command()
@_of_run
@click.option("--out", type=FOLDER, required=True, help="Takes model.onnx and manifest.json.")
def export(task: str, run: str, out: Path) -> None:
    """Turn a run into a model that streamer can run, without thresholds or figures."""
    plugin = find_plugin(task)
    click.echo(plugin.export(find_run(task, run), out).sha256)


@main.command()
@_of_run
@click.option("--out", type=FOLDER, help="Takes the released model.  [default: models/released/TASK]")
def release(task: str, run: str, out: Path | None) -> None:
    """Turn a run into a released model: exported, thresholds chosen, measured, and with its card."""
    plugin = find_plugin(task)
    manifest = plugin.release(find_run(task, run), data_folder(), CACHE, out or RELEASED / task)
    click.echo(json.dumps(manifest.results, indent=2))


@main.command()
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="FOLDER...")
def program(folders: tuple[Path, ...]) -> None:
    """Write model.pt2 into released-model folders: what `streamer listen --backend torch` runs on a GPU."""
    from train.export.torch_program import write_program

    for folder in folders:
        click.echo(write_program(folder))


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Takes a folder for the model, and one for its ear.")
def quantise(folder: Path, out: Path) -> None:
    """Turn a released model into one of 8 bits; of one that hears an ear, it is the ear that is."""
    from train.export.quantise import calibration_sounds
    from train.export.quantise import quantise as quantised

    for made in quantised(folder, calibration_sounds(data_folder(), CACHE), out):
        click.echo(made)


@main.command(name="list")
@click.argument("task", required=False)
def list_runs(task: str | None) -> None:
    """The runs, each with its last step and its best score."""
    for summary in summaries([find_plugin(task).name] if task else list(TASKS)):
        click.echo(summary)


if __name__ == "__main__":
    main()
