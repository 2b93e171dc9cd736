"""``python -m train report``: ``report.html`` about several runs, usually the folds of one experiment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from streamer.errors import ConfigError
from train.evaluate.clips import own_folder
from train.evaluate.predictions import Predictions
from train.loop.registry import find_plugin
from train.report import choice, detection, measured, songs, training
from train.report.page import PageSection, absent, page
from train.report.runs import Run, pool_runs, read_run
from train.report.spectra import Spectra

REPORT = "report.html"
EMBEDDING_TASK = "ear"
"""Task whose model gives embeddings: it makes no predictions, so its report has no sections about predictions."""
SEPARATION_TASKS = "separation"
"""Beginning of the names of separation tasks, whose reports show songs instead of predictions."""


def write_report(
    folders: Sequence[Path],
    out: Path | None = None,
    predictions: str = "test",
    data: Path | None = None,
    named: Sequence[str] = (),
) -> Path:
    """Write the report about runs as one HTML file, and return the file's path.

    Parameters
    ----------
    folders : sequence of Path
        Folders of runs of one task. The predictions of several runs are pooled; a clip must be held out in one run
        only.
    out : Path or None
        File to write; None takes ``report.html`` in the first run's folder.
    predictions : str
        Name of the file in each run's ``predictions``.
    data : Path or None
        Folder of the data sets, for spectrograms; with None the report has no spectrograms.
    named : sequence of str
        Names of songs that the report of a separation shows besides the worst, the quartiles and the best.

    Returns
    -------
    Path
        Path of the file.

    Raises
    ------
    ConfigError
        If a folder is not a run, a file in it cannot be read, or the runs do not belong together.
    """
    if not folders:
        raise ConfigError(
            "got no runs; expected at least one folder, as in: python -m train report runs/TASK/TIME-HASH"
        )
    runs = [read_run(folder, predictions) for folder in folders]
    tasks = sorted({training.task_of([run]) for run in runs})
    if len(tasks) > 1:
        raise ConfigError(f"runs are of tasks {', '.join(tasks)}; expected one task: report them apart")
    if tasks[0].startswith(SEPARATION_TASKS):
        content = _separation_page(runs, data, named)
    else:
        content = _predictions_page(runs, Spectra(data, own_folder(folders[0])))
    out = out or folders[0] / REPORT
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")  # so that a browser never loads half a page
    partial.write_text(content, encoding="utf-8")
    partial.replace(out)
    return out


def _predictions_page(runs: Sequence[Run], spectra: Spectra) -> str:
    """Return the page about runs whose models decide on labels, or give embeddings."""
    found, decides = pool_runs(runs), training.task_of(runs) != EMBEDDING_TASK
    sections = [
        *(_prediction_sections(runs, found, spectra) if decides else []),
        measured.other_figures(runs),
        *([measured.robustness(runs), measured.saliency_maps(runs)] if decides else []),
        measured.cost(runs),
        *_training_sections(runs),
    ]
    return page(f"{training.task_of(runs)}: {_names(runs)}", _lead(runs, found), _commands(runs), sections)


def _separation_page(runs: Sequence[Run], data: Path | None, names: Sequence[str]) -> str:
    """Return the page about runs of a separation."""
    task = training.task_of(runs)
    steps = find_plugin(task).steps  # a model that does not step is neither exported nor played
    parts = [
        *songs.summary(runs),
        *(songs.players(runs, data, names) if steps else []),
        measured.other_figures(runs),
        *([measured.cost(runs)] if steps else []),
        *_training_sections(runs),
    ]
    commands = list(dict.fromkeys(run.songs["command"] for run in runs if run.songs))
    return page(f"{task}: {_names(runs)}", ", ".join(run.name for run in runs), commands, parts)


def _training_sections(runs: Sequence[Run]) -> list[PageSection]:
    return [training.learning_curves(runs), training.configuration(runs), training.environment(runs)]


def _prediction_sections(
    runs: Sequence[Run], found: Predictions | None, spectra: Spectra
) -> list[PageSection]:
    """Return the sections about predictions for held-out clips."""
    if found is None:
        return [absent("Held-out clips", "predictions/*.npz", measured.evaluate_command(runs))]
    if not found.detects:
        return choice.sections(found, spectra)
    if found.step_truth is None:
        raise ConfigError(
            f"predictions of {found.model} have one label and no step_truth; evaluate again with it"
        )
    return detection.sections(found, spectra)


def _names(runs: Sequence[Run]) -> str:
    return runs[0].name if len(runs) == 1 else f"{len(runs)} runs"


def _lead(runs: Sequence[Run], found: Predictions | None) -> str:
    parts = [", ".join(run.name for run in runs)] if len(runs) > 1 else []
    if found:
        folds = sorted({int(fold) for fold in found.folds})
        plural = "s" if len(folds) > 1 else ""
        parts.append(f"{len(found.clips):,} held-out clips of fold{plural} {', '.join(map(str, folds))}")
        parts.append(f"a score every {1e3 * found.step_s:g} ms")
    return "; ".join(parts)


def _commands(runs: Sequence[Run]) -> list[str]:
    """Return the commands that made the predictions, each once."""
    return list(dict.fromkeys(run.predictions.command for run in runs if run.predictions))


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: report.html in the first RUN]",
)
@click.option(
    "--predictions",
    default="test",
    show_default=True,
    help="Name, without .npz, of the file in predictions/ to show.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: os.environ.get("STREAMER_DATA", "../shared/data"),
    help="Folder of the data sets, for spectrograms.  [default: $STREAMER_DATA]",
)
@click.option("--song", "named", multiple=True, help="Song to show and to play; repeatable.")
def report_command(
    runs: tuple[Path, ...], out: Path | None, predictions: str, data: Path, named: tuple[str, ...]
) -> None:
    """Write report.html about RUNS: accuracy, confusions, mistakes, robustness, cost, learning curves, separated songs.

    RUNS are folders of runs of one task, such as runs/sounds/TIME-HASH, usually the folds of one experiment.
    """
    click.echo(write_report(runs, out, predictions, data if data.is_dir() else None, named))
