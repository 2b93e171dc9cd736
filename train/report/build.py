"""``report.html``: several runs, mostly the folds of one experiment, on one page."""

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
from train.report.runs import Run, pooled, read_run
from train.report.spectra import Spectra

REPORT = "report.html"
EMBEDDING_TASK = "ear"
"""It decides nothing: there are no predictions, nor what comes of them."""
SEPARATION_TASKS = "separation"
"""How the tasks begin that take songs apart, by one network or another: there are songs in the place of predictions."""


def write_report(
    folders: Sequence[Path],
    out: Path | None = None,
    predictions: str = "test",
    data: Path | None = None,
    named: Sequence[str] = (),
) -> Path:
    """Write the report of runs.

    Parameters
    ----------
    folders : sequence of Path
        Of runs of one task; predictions of several are pooled, and each clip must be held out in one alone.
    out : Path or None
        The file; ``report.html`` in the first run's folder if None.
    predictions : str
        Name of the predictions file in each run's ``predictions``.
    data : Path or None
        Folder of the data sets, for spectrograms; None draws none.
    named : sequence of str
        Names of songs that a separation's report shows and plays, besides the worst, the best and those between.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ConfigError
        If a folder is no run, a file in it cannot be read, or runs do not go together.
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
        content = _separation(runs, data, named)
    else:
        content = html(runs, Spectra(data, own_folder(folders[0])))
    out = out or folders[0] / REPORT
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    partial.write_text(content, encoding="utf-8")
    partial.replace(out)
    return out


def html(runs: Sequence[Run], spectra: Spectra) -> str:
    """The page's text."""
    found, decides = pooled(runs), training.task_of(runs) != EMBEDDING_TASK
    sections = [
        *(_of_predictions(runs, found, spectra) if decides else []),
        measured.other_figures(runs),
        *([measured.robustness(runs), measured.saliency_maps(runs)] if decides else []),
        measured.cost(runs),
        *_trained(runs),
    ]
    return page(f"{training.task_of(runs)}: {_names(runs)}", _lead(runs, found), _commands(runs), sections)


def _separation(runs: Sequence[Run], data: Path | None, names: Sequence[str]) -> str:
    """The page's text, of runs that take songs apart."""
    task = training.task_of(runs)
    steps = find_plugin(task).steps  # what does not is neither exported nor played
    parts = [
        *songs.summary(runs),
        *(songs.to_hear(runs, data, names) if steps else []),
        measured.other_figures(runs),
        *([measured.cost(runs)] if steps else []),
        *_trained(runs),
    ]
    commands = list(dict.fromkeys(run.songs["command"] for run in runs if run.songs))
    return page(f"{task}: {_names(runs)}", ", ".join(run.name for run in runs), commands, parts)


def _trained(runs: Sequence[Run]) -> list[PageSection]:
    return [training.learning_curves(runs), training.configuration(runs), training.environment(runs)]


def _of_predictions(runs: Sequence[Run], found: Predictions | None, spectra: Spectra) -> list[PageSection]:
    """What was said of held-out clips."""
    if found is None:
        return [absent("Held-out clips", "predictions/*.npz", measured.evaluate_command(runs))]
    if not found.detects:
        return choice.sections(found, spectra)
    if found.step_truth is None:
        raise ConfigError(
            f"predictions of {found.model} have one label and no step_truth; evaluate anew with it"
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
    """What made the predictions, each command once."""
    return list(dict.fromkeys(run.predictions.command for run in runs if run.predictions))


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File.  [default: report.html in the first RUN]",
)
@click.option("--predictions", default="test", show_default=True, help="Which of the runs' predictions.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: os.environ.get("STREAMER_DATA", "../shared/data"),
    help="Data sets, for spectrograms.  [default: $STREAMER_DATA]",
)
@click.option("--song", "named", multiple=True, help="A song to look at and to listen to; repeatable.")
def report_command(
    runs: tuple[Path, ...], out: Path | None, predictions: str, data: Path, named: tuple[str, ...]
) -> None:
    """Write report.html of RUNs, of one task: curves, confusions, mistakes, robustness, cost; stems to listen to."""
    click.echo(write_report(runs, out, predictions, data if data.is_dir() else None, named))
