"""Pictures of the laboratory's rows, SVG files beside its results: ``ROW/PICTURE.svg``, and ``TABLE.svg``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType

import matplotlib as mpl
from markupsafe import Markup

from streamer.errors import ConfigError
from train.evaluate.metrics.classification import confusion
from train.evaluate.predictions import load, pool
from train.lab import results
from train.lab.pictures import drawings
from train.lab.pictures.degraded import measure_degraded
from train.lab.pictures.shown_clips import shown_clips
from train.lab.rows import ROWS
from train.lab.systems.network import Network
from train.lab.tables import TABLES
from train.loop.run import read_metrics
from train.report import plots

CAPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "curves": "Loss on what is learnt from; entropy and accuracy on the validation fold.",
        "confusion": "Confusion matrix of the held-out clips.",
        "classes": "Recall and precision of each class on the held-out clips.",
        "clips": "Held-out clips: the surest mistakes, then right answers.",
        "attention": "How strongly each step of a clip attends to each.",
        "robustness": "Accuracy on degraded sound; dashed: on clean sound.",
    }
)
"""Pictures of a row by the names of their files, in the order of the page, with their captions."""


def draw_row(name: str, into: Path) -> list[Path]:
    """Draw the pictures of a row from its measured runs into a folder, and return their paths.

    Raises
    ------
    ConfigError
        If the row is no network, which alone keeps runs, or has no measured run here.
    """
    system = ROWS[name].system
    if not isinstance(system, Network):
        networks = ", ".join(row for row, other in ROWS.items() if isinstance(other.system, Network))
        raise ConfigError(f"{name} keeps no runs to draw from; expected a network: {networks}")
    runs = {f"fold {fold}": run for fold, run in system.measured_runs(name).items()}
    predictions = pool([load(run / "predictions" / "test.npz") for run in runs.values()])
    shown = shown_clips(next(iter(runs.values())), system.kind)
    with _same_every_time():
        drawn = {
            "curves": drawings.learning_curves({fold: read_metrics(run) for fold, run in runs.items()}),
            "confusion": plots.confusion(confusion(predictions), predictions.labels),
            "classes": drawings.classes(predictions),
        }
        if shown:
            drawn["clips"] = drawings.clips(shown)
        if any(clip.attention is not None for clip in shown):
            drawn["attention"] = drawings.attention(shown)
        if system.kind.of_sound:
            measured = {fold: measure_degraded(run, system.kind, name) for fold, run in runs.items()}
            drawn["robustness"] = drawings.robustness(measured)
    return [_write(into / name / f"{picture}.svg", drawing) for picture, drawing in drawn.items()]


def draw_tables(into: Path) -> list[Path]:
    """Draw, for each table with two rows or more, their first figure against their cost; return the paths."""
    found, paths = results.read(into), []
    for table in (table for table in TABLES if not table.of):
        rows = {
            found[name].named(row.title): (
                found[name].ms_per_s,
                list(found[name].figures[table.figures[0]].values()),
            )
            for name, row in ROWS.items()
            if row.table == table and name in found
        }
        if len(rows) > 1:
            with _same_every_time():
                drawing = drawings.comparison(rows, table.figures[0])
            paths.append(_write(into / f"{table.place}.svg", drawing))
    return paths


def _same_every_time() -> AbstractContextManager[None]:
    """Return a context in which equal drawings become equal files, whose identifiers are otherwise random."""
    return mpl.rc_context({"svg.hashsalt": "laboratory"})


def _write(path: Path, drawing: Markup) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(plots.standalone(drawing), encoding="utf-8")
    return path
