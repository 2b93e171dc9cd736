"""``python -m train COMMAND``: train, measure and release models."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from streamer.errors import ConfigError, StreamerError
from train.data.recordings import Split
from train.loop.commands.options import config_option, run_option, set_option, split_option
from train.loop.config import read_config
from train.loop.registry import TASKS, Evaluation, Plugin, find_plugin, released_config
from train.loop.run import CACHE, data_folder, find_run, note_evaluation, summaries

RELEASED = Path("models") / "released"
FOLDER = click.Path(file_okay=False, path_type=Path)
ELSEWHERE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "background": (
            "train.custom_sounds.background:background_command",
            "Write an ear's background.npz, for `streamer teach`.",
        ),
        "compare": (
            "train.tasks.separation.compare:compare_command",
            "Measure a separation of others beside ours; print JSON.",
        ),
        "cost": ("train.evaluate.cost:cost_command", "Measure what released models cost to run; print JSON."),
        "cross-validate": (
            "train.loop.commands.cross_validation:cross_validate_command",
            "Train with each fold held out in turn; print JSON.",
        ),
        "fetch": ("train.data.debian.command:fetch_command", "Download free sound to learn from."),
        "few-shot": (
            "train.custom_sounds.few_shot:few_shot_command",
            "Measure recognition of taught sounds; print JSON.",
        ),
        "generate": ("train.generation.command:generate_command", "Make sound of a genre; write a WAV file."),
        "hearing": (
            "train.report.hearing.command:hearing_command",
            "Measure models on sound they never learnt; print JSON.",
        ),
        "import-yamnet": (
            "train.export.import_yamnet:import_yamnet_command",
            "Make a model folder of YAMNet's published weights.",
        ),
        "inspect": (
            "train.evaluate.inspection:inspect_command",
            "Measure a run's cost, robustness and saliency.",
        ),
        "judge": (
            "train.generation.judge_command:judge_command",
            "Measure made music by gate and genre; print JSON.",
        ),
        "lab": ("train.lab.command:lab_command", "Train and measure systems of others beside ours."),
        "lab-spectrograms": (
            "train.lab.pictures.spectrograms:spectrograms_command",
            "Draw what the lab's separations make of a clip.",
        ),
        "mlflow": (
            "train.report.tracking:mlflow_command",
            "Write runs into a local store of MLflow.",
        ),
        "model-memory": (
            "train.evaluate.model_memory:model_memory_command",
            "Measure a released model's memory; print JSON.",
        ),
        "render": (
            "train.render.command:render_command",
            "Render solos, drums and ensembles to learn from.",
        ),
        "report": ("train.report.build:report_command", "Write report.html about runs, with plots."),
        "results": (
            "train.report.results_command:results_command",
            "Write docs/results.md from stored or new figures.",
        ),
        "stems": (
            "train.tasks.separation.taught_stems:stems_command",
            "Let Spleeter take songs apart, to learn from.",
        ),
        "transfer": (
            "train.transfer.command:transfer_command",
            "Measure classifiers on YAMNet's embeddings; print JSON.",
        ),
        "yamnet-answers": (
            "train.export.yamnet_answers:yamnet_answers_command",
            "Store YAMNet's answers for the bundled recording.",
        ),
        "yamnet-graph": (
            "train.export.yamnet_graph:yamnet_graph_command",
            "Write YAMNet's graph without weights, as it ships.",
        ),
        "yamnet-labels": (
            "train.transfer.tagger_figures:yamnet_labels_command",
            "Measure YAMNet's labels on known clips; print JSON.",
        ),
        "yamnet-points": (
            "train.transfer.yamnet_points:yamnet_points_command",
            "Choose thresholds of YAMNet's labels, and store them.",
        ),
    }
)
"""Commands that have a module of their own: ``MODULE:NAME``, imported when the command is used, and a short help."""


class _Elsewhere(click.Command):
    """Command whose module is imported only when it runs or prints its own help, since imports may take seconds."""

    def __init__(self, name: str, where: str, about: str) -> None:
        super().__init__(name, short_help=about)
        self._where = where

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        module, _, name = self._where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command.make_context(*args, **options)


class _Commands(click.Group):
    """Group of the commands in this file, those in `ELSEWHERE`, and one per task; errors are printed as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*TASKS, *self._others(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name in TASKS:
            return _train_command(cmd_name, TASKS[cmd_name][1])
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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train, measure and release Streamer's models. The data sets are read from $STREAMER_DATA."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("train").setLevel(logging.INFO)  # other libraries log warnings only


def _train_command(name: str, trained: str) -> click.Command:
    about = f"Train {trained}."
    result = f"The result is the folder of the run, runs/{name}/TIME-HASH, whose path is printed."

    @click.command(name, help=f"{about}\n\n{result}", short_help=about)
    @config_option
    @set_option
    @click.option("--fold", type=int, help="Fold to hold out for the test, like --set fold=N.")
    @click.option(
        "--name", "called", default="", help=f"Name of the run's folder in runs/{name}.  [default: TIME-HASH]"
    )
    @click.option(
        "--resume", metavar="RUN", help="Run to resume; --set may change only its settings loop.KEY."
    )
    def command(
        config: Path | None,
        assignments: tuple[str, ...],
        fold: int | None,
        called: str,
        resume: str | None,
    ) -> None:
        from train.loop.commands.launch import launch

        if resume and config:
            raise ConfigError(
                "got --resume and --config; a run keeps its own configuration: give one of them"
            )
        if resume and called:
            raise ConfigError("got --resume and --name; a run keeps its name: give one of them")
        run = find_run(name, resume) if resume else None
        if fold is not None:
            assignments = (*assignments, f"fold={fold}")
        plugin = find_plugin(name)
        settings = read_config(plugin.config, run / "config.json" if run else config, assignments)
        click.echo(launch(plugin, settings, data_folder(), CACHE, run, called))

    return command


def _with_run(command: Callable[..., None]) -> Callable[..., None]:
    return click.argument("task")(run_option(command))


@main.command(short_help="Measure a model on held-out data; print JSON.")
@click.argument("task")
@click.option("--run", help="Run to export and measure: its folder, or its name in runs/TASK.")
@click.option(
    "--model", type=FOLDER, help="Folder of a released model to measure.  [default: models/released/TASK]"
)
@split_option
def evaluate(task: str, run: str | None, model: Path | None, split: Split) -> None:
    """Measure a run or a released model on held-out data; print figures as JSON.

    The figures of a run are also written into its evaluation.json, and the predictions of each clip into
    predictions/SPLIT.npz. For a separation, the figures of each clip are written into predictions/SPLIT.json.
    """
    if run is not None and model is not None:
        raise ConfigError("got --run and --model; expected one of them")
    plugin = find_plugin(task)
    if run is None:
        released = model or _released_folder(task)
        config = released_config(plugin, released)
        config.fold_of(split)  # refuses a fold that is not held out
        figures = plugin.evaluate(Evaluation(released, config, split, data_folder(), CACHE))
    else:
        folder = find_run(task, run)
        figures = plugin.evaluate(_export_run(plugin, folder, split))
        note_evaluation(folder, split, figures)
    click.echo(json.dumps(figures, indent=2))


def _released_folder(task: str) -> Path:
    """Return the folder of a task's released model."""
    folder = RELEASED / task
    if not folder.is_dir():
        raise ConfigError(
            f"got neither --run nor --model, and no {task} is released; expected a run, or an exported model's folder"
        )
    return folder


def _export_run(plugin: Plugin, run: Path, split: Split) -> Evaluation:
    """Export a run, if its model can be exported, and return the order to measure it."""
    config = read_config(plugin.config, run / "config.json")
    config.fold_of(split)  # refuses before anything is written
    model = run
    if plugin.steps:
        model = run / "exported"
        plugin.release(run, data_folder(), CACHE).export(model)
    return Evaluation(model, config, split, data_folder(), CACHE, run / "predictions")


@main.command(short_help="Export a run, without thresholds or figures.")
@_with_run
@click.option("--out", type=FOLDER, required=True, help="Folder for model.onnx and manifest.json.")
def export(task: str, run: str, out: Path) -> None:
    """Export a run as a model that streamer can run, without thresholds or figures; print the SHA-256 of its graph."""
    model = find_plugin(task).release(find_run(task, run), data_folder(), CACHE)
    click.echo(model.export(out).sha256)


@main.command(short_help="Export a run, with thresholds, figures and a card.")
@_with_run
@click.option("--out", type=FOLDER, help="Folder for the released model.  [default: models/released/TASK]")
@click.option(
    "--measured-by",
    "others",
    multiple=True,
    metavar="RUN",
    help="Run whose thresholds and figures a run that learnt from all folds gets; repeatable.",
)
def release(task: str, run: str, out: Path | None, others: tuple[str, ...]) -> None:
    """Release a run: export it, choose thresholds, measure it, and write its card; print the figures as JSON.

    A run that learnt from all folds cannot be measured. Its release gets the thresholds and figures of a run with the
    same settings that held out folds, which --measured-by names; of several, figures are pooled.
    """
    from train.export.all_folds import release_run

    plugin, measured_by = find_plugin(task), [find_run(task, other) for other in others]
    folder = out or RELEASED / task
    made = release_run(plugin, find_run(task, run), measured_by, folder, data_folder(), CACHE)
    click.echo(json.dumps(made.results, indent=2))


@main.command(short_help="Write model.pt2 into model folders, to run on a GPU.")
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="FOLDER...")
def program(folders: tuple[Path, ...]) -> None:
    """Write model.pt2 into released-model folders; `streamer listen --backend torch` runs it on a GPU."""
    from train.export.torch_program import write_program

    for folder in folders:
        click.echo(write_program(folder))


@main.command(short_help="Quantise a released model to 8 bits.")
@click.argument("folder", type=FOLDER)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder for a subfolder of the model and, for a head, one of its ear.",
)
def quantise(folder: Path, out: Path) -> None:
    """Quantise the released model in FOLDER to 8 bits; for a head on an ear, only the ear is quantised."""
    from train.export.quantise import calibration_sounds, quantise_model

    for made in quantise_model(folder, calibration_sounds(data_folder(), CACHE), out):
        click.echo(made)


@main.command(name="list", short_help="List the runs, with their last steps and best scores.")
@click.argument("task", required=False)
def list_runs(task: str | None) -> None:
    """List the runs, each with its last step and its best score."""
    for summary in summaries([find_plugin(task).name] if task else list(TASKS)):
        click.echo(summary)


if __name__ == "__main__":
    main()
