"""Sections about measurements other than predictions: saliency, robustness, cost, figures of the evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from train.report import plots
from train.report.page import Cell, PageSection, absent, figure, heading, note, row, table
from train.report.runs import Run
from train.report.training import flat_texts, task_of

COST_ROWS: tuple[tuple[str, str, float], ...] = (
    ("parameters", "parameters", 1),
    ("macs_per_s", "million multiply-accumulates a second of sound", 1e-6),
    ("step_ms_median", "ms a step, median", 1),
    ("step_ms_p99", "ms a step, 99th percentile", 1),
    ("core_ms_per_s", "ms of one core a second of sound", 1),
    ("disk_bytes", "MB on disk", 1e-6),
    ("memory_bytes", "MB of memory", 1e-6),
    ("core_ms_per_s_with_front_ends", "ms of one core a second of sound, front end included", 1),
)
"""Key in ``cost.json``, name of the figure on the page, and factor from the unit of the file to that of the page."""
MAPS = 8


def saliency_maps(runs: Sequence[Run]) -> PageSection:
    """Return the section with saliency maps over spectrograms."""
    title, maps = "Saliency maps", [found for run in runs for found in run.maps]
    if not maps:
        return absent(title, "saliency/*.npz", inspect_command(runs))
    about = (
        "By how much the label's log-odds fall where a tile of 0.24 s and an eighth of the bands is silenced: blue "
        "speaks for the predicted label, red against it."
    )
    return PageSection(
        title, note(about) + Markup().join(figure(plots.saliency(found)) for found in maps[:MAPS])
    )


def robustness(runs: Sequence[Run]) -> PageSection:
    """Return the section with a plot for each degradation: a line for each run, and a dashed one for clean sound."""
    title, measured = "Robustness", [run for run in runs if run.robustness]
    if not measured:
        return absent(title, "robustness.json", inspect_command(runs))
    names = dict.fromkeys(curve["name"] for run in measured for curve in run.robustness["curves"])
    drawings, rows = [], []
    for name in names:
        curves = {
            run.name: (run.robustness, curve)
            for run in measured
            for curve in run.robustness["curves"]
            if curve["name"] == name
        }
        drawings.append(figure(_curves(name, curves)))
        levels: dict[float, list[float]] = defaultdict(list)
        for _, curve in curves.values():
            for level, value in zip(curve["levels"], curve["values"], strict=True):
                levels[level].append(value)
        unit = next(iter(curves.values()))[1]["unit"]
        rows.append(
            (
                name,
                unit,
                ", ".join(f"{level:g}: {_format_spread(values)}" for level, values in levels.items()),
            )
        )
    first = measured[0].robustness
    spread = ", mean ± spread over runs" if len(measured) > 1 else ""
    head = ["degradation", "levels in", f"{first['figure']} by level{spread}"]
    about = f"{first['figure']} of {first['sounds']:,} held-out sounds; dashed: clean, {first['clean']:.3f}. Made by: "
    return PageSection(
        title,
        note(about, first["command"]) + row(drawings) + table(head, rows),
    )


def _curves(name: str, curves: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Markup:
    with plots.Drawing(width=3.3, height=2.4) as drawing:
        draw_degradation(drawing.axes[0], name, curves)
    return drawing.svg(f"robustness against {name}")


def draw_degradation(
    axes: Axes, name: str, curves: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """Draw a line for each run against the levels of a degradation, and a dashed one for its clean sound.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    name : str
        Name of the degradation.
    curves : mapping
        By the name of the run: the content of its ``robustness.json``, and the curve of the degradation in it.
    """
    for number, (run, (content, curve)) in enumerate(curves.items()):
        colour = plots.SERIES[number % len(plots.SERIES)]
        places = range(len(curve["levels"]))  # evenly, mildest first, whatever the unit
        axes.plot(places, curve["values"], marker="o", color=colour, label=run)
        axes.axhline(content["clean"], color=colour, linestyle="--", linewidth=0.8)
        axes.set_xticks(places, [f"{level:g}" for level in curve["levels"]])
        axes.set(xlabel=curve["unit"], ylim=(-0.02, 1.02), title=name)
    if len(curves) > 1:
        axes.legend(fontsize=7)


def cost(runs: Sequence[Run]) -> PageSection:
    """Return the section with the cost of running, in a column for each model of a run and for all of them together."""
    title, measured = "Cost", [run for run in runs if run.cost]
    if not measured:
        return absent(title, "cost.json", inspect_command(runs))
    columns: dict[str, Mapping[str, float]] = {}
    for run in measured:
        own = f"{run.name}: " if len(measured) > 1 else ""
        columns |= {f"{own}{name}": found for name, found in run.cost["models"].items()}
        columns[f"{own}together"] = run.cost["together"]
    rows: list[Sequence[Cell]] = [
        (name, *(_scaled(found.get(key), factor) for found in columns.values()))
        for key, name, factor in COST_ROWS
    ]
    commands = dict.fromkeys(str(run.cost["command"]) for run in measured)
    made = Markup().join(note("Made by: ", command) for command in commands)
    return PageSection(title, table(["one stream, one thread", *columns], rows) + made)


def _scaled(value: float | None, factor: float) -> float | int | None:
    return value if value is None or factor == 1 else value * factor


def other_figures(runs: Sequence[Run]) -> PageSection:
    """Return the section with ``evaluation.json``: a table for each split and group of figures."""
    title, measured = "Evaluation", [run for run in runs if run.evaluation]
    if not measured:
        return absent(title, "evaluation.json", evaluate_command(runs))
    groups: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for run in measured:
        for split, figures in run.evaluation.items():
            for name, found in figures.items():
                groups[split, name][run.name] = found if isinstance(found, Mapping) else {name: found}
    return PageSection(
        title, Markup().join(_group(split, name, found) for (split, name), found in groups.items())
    )


def _group(split: str, name: str, runs: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Show a row for each figure and a column for each run, with mean and spread of what is a number in all."""
    flat = {run: flat_texts(found) for run, found in runs.items()}
    what = " ".join(next(iter(flat.values())).get("what", "").split())
    several = len(flat) > 1
    rows: list[Sequence[Cell]] = []
    for key in dict.fromkeys(key for values in flat.values() for key in values if key != "what"):
        found = [_read(values.get(key)) for values in flat.values()]
        numbers = [value for value in found if isinstance(value, int | float)]
        spread = _format_spread(numbers) if len(numbers) == len(found) else None
        rows.append((key, *([spread] if several else []), *found))
    head = ["figure", *(["mean ± spread"] if several else []), *flat]
    return heading(f"{name} ({split})") + (note(what) if what else Markup()) + table(head, rows)


def _read(text: str | None) -> Cell:
    """Return a text as a number if it is one."""
    for kind in (int, float):
        try:
            return kind(text or "")
        except ValueError:
            continue
    return text


def _format_spread(values: Sequence[float]) -> str:
    """Format the mean and the sample standard deviation."""
    spread = f" ± {np.std(values, ddof=1):.2g}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def evaluate_command(runs: Sequence[Run]) -> str:
    """Return the command line that makes the predictions and figures of the first of `runs`."""
    return f"python -m train evaluate {task_of(runs)} --run {runs[0].name}"


def inspect_command(runs: Sequence[Run]) -> str:
    """Return the shell command that measures the first of `runs`: its cost, its robustness, and its saliency maps."""
    return f"python -m train inspect {task_of(runs)} --run {runs[0].name}"
