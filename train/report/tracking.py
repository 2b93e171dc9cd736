"""``python -m train mlflow``: write runs into a local store of MLflow, whose pages compare them."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from streamer.errors import ConfigError
from train.evaluate.metrics.classification import confusion
from train.loop.config import flatten
from train.loop.run import RUNS
from train.report import plots
from train.report.runs import Run, read_run
from train.report.training import NOT_FIGURES, flat_texts

STORE = RUNS / "mlflow"
DATABASE = "mlflow.db"
SOURCE = "streamer.run"
"""Tag with the folder of a run, by which one that was written before is found."""
FILES = ("best.pt", "config.json", "environment.json", "evaluation.json", "robustness.json", "cost.json")
"""Files of a run that the store keeps, where they exist, besides its pictures and its report."""
PICTURES = ("*.html", "*.svg", "*.png", "saliency/*.npz")
VALUES = 100
"""Greatest number of parameters, or of metrics, that are written at once."""
LONGEST = 500
"""Greatest length of a parameter, in characters."""


def write_run(mlflow: Any, client: Any, folder: Path, into: Path) -> str:
    """Write a run into a store, in the place of what was written of it before; return the run's number there.

    Its experiment is named after its task. Settings become parameters, each line of ``metrics.jsonl`` metrics at a
    step, and numbers of ``evaluation.json`` metrics without one; the checkpoint and pictures become artifacts.

    Parameters
    ----------
    mlflow : module
        The package ``mlflow``.
    client : mlflow.MlflowClient
        Client of the store.
    folder : Path
        Folder of the run.
    into : Path
        Folder of the store.

    Raises
    ------
    ConfigError
        If the folder is not a run, or a file in it cannot be read.
    """
    run = read_run(folder, _predictions_of(folder))
    home, task = folder.resolve(), folder.resolve().parent.name
    experiment = client.get_experiment_by_name(task)
    files = (into / "artifacts" / task).resolve().as_uri()
    number = (
        experiment.experiment_id if experiment else client.create_experiment(task, artifact_location=files)
    )
    for old in client.search_runs([number], f"tags.`{SOURCE}` = '{home}'"):
        client.delete_run(old.info.run_id)
    tags = {SOURCE: str(home), "commit": str(run.environment.get("commit", "unknown"))}
    made: str = client.create_run(number, tags=tags, run_name=run.name).info.run_id
    parameters = [
        mlflow.entities.Param(name, text[:LONGEST]) for name, text in flat_texts(run.config).items()
    ]
    metrics = [mlflow.entities.Metric(name, value, _now_ms(), step) for name, value, step in _figures(run)]
    for first in range(0, max(len(parameters), len(metrics)), VALUES):
        part = slice(first, first + VALUES)
        client.log_batch(made, metrics=metrics[part], params=parameters[part])
    for path in _kept_files(run):
        inner = path.relative_to(folder).parent.as_posix()
        client.log_artifact(made, str(path), None if inner == "." else inner)
    _log_confusion(client, made, run)
    client.set_terminated(made)
    return made


def _predictions_of(folder: Path) -> str:
    """Return the name of the predictions of a run that are drawn: those of the test fold, or else the first."""
    names = sorted(path.stem for path in (folder / "predictions").glob("*.npz"))
    return "test" if "test" in names or not names else names[0]


def _now_ms() -> int:
    return int(1e3 * time.time())


def _figures(run: Run) -> Iterator[tuple[str, float, int]]:
    """Yield the name, value and step of each number of a run; names have only characters that MLflow allows."""
    for line in run.metrics:
        for name, value in line.items():
            if name not in NOT_FIGURES:
                yield _allowed(name), float(value), int(line["step"])
    for name, value in flatten(run.evaluation).items():
        if isinstance(value, int | float):
            yield _allowed(f"evaluation.{name}"), float(value), 0


def _allowed(name: str) -> str:
    return re.sub(r"[^\w\-./ ]", "_", name)


def _kept_files(run: Run) -> Iterator[Path]:
    """Yield the files of a run that the store keeps."""
    yield from (path for name in FILES if (path := run.folder / name).is_file())
    for pattern in PICTURES:
        yield from sorted(run.folder.glob(pattern))


def _log_confusion(client: Any, made: str, run: Run) -> None:
    """Draw the confusion matrix of a run that chooses among labels and has predictions, into the store."""
    if run.predictions is None or run.predictions.detects:
        return
    drawing = plots.confusion(confusion(run.predictions), run.predictions.labels)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "confusion.svg"
        path.write_text(plots.standalone(drawing), encoding="utf-8")
        client.log_artifact(made, str(path), "pictures")


def open_store(into: Path) -> tuple[Any, Any]:
    """Return the package ``mlflow`` and a client of the store in a folder, which is made if it is absent.

    Raises
    ------
    ConfigError
        If MLflow is not installed.
    """
    try:
        mlflow = importlib.import_module("mlflow")
    except ImportError as error:
        raise ConfigError(
            f"MLflow cannot be imported ({error}); expected the extra mlflow: pip install 'streamer[mlflow]'"
        ) from error
    into.mkdir(parents=True, exist_ok=True)
    return mlflow, mlflow.MlflowClient(tracking_uri=address(into))


def address(into: Path) -> str:
    """Return the address of the store in a folder, as MLflow writes it."""
    return f"sqlite:///{(into / DATABASE).resolve()}"


def _known_runs() -> list[Path]:
    return sorted(path.parent for path in RUNS.glob("*/*/config.json"))


@click.command("mlflow")
@click.argument("runs", nargs=-1, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=STORE,
    show_default=True,
    help="Folder of the store.",
)
def mlflow_command(runs: Sequence[Path], into: Path) -> None:
    """Write RUNS, by default all in runs/, into a local store of MLflow; print how to look at it.

    Settings, curves, figures, pictures and the checkpoint of each run are copied. A run that was written before is
    replaced. Needs the extra mlflow.
    """
    mlflow, client = open_store(into)
    chosen = list(runs) or _known_runs()
    if not chosen:
        raise ConfigError(
            f"{RUNS} has no run; train one, such as python -m train gate, or name folders of runs"
        )
    for folder in chosen:
        write_run(mlflow, client, folder, into)
        click.echo(folder)
    click.echo(f"mlflow ui --backend-store-uri {address(into)}")
