"""Sections about the training of runs: learning curves, configuration, environment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from train.loop.config import flatten
from train.report import plots
from train.report.page import PageSection, absent, details, figure, row, table, values
from train.report.runs import Run

NOT_FIGURES = frozenset({"step", "seconds"})


def learning_curves(runs: Sequence[Run]) -> PageSection:
    """Return the section with every number of ``metrics.jsonl`` against the step, a line for each run."""
    title = "Learning curves"
    if not any(run.metrics for run in runs):
        return absent(title, "metrics.jsonl, which training writes", f"python -m train {task_of(runs)}")
    names = dict.fromkeys(name for run in runs for line in run.metrics for name in line)
    drawings = []
    for name in (name for name in names if name not in NOT_FIGURES):
        series: dict[str, tuple[list[float], list[float]]] = {}
        for run in runs:
            lines = [line for line in run.metrics if name in line]
            if lines:
                series[run.name] = [line["step"] for line in lines], [line[name] for line in lines]
        drawings.append(figure(plots.lines(series, "step", name.replace("_", " "))))
    return PageSection(title, row(drawings))


def task_of(runs: Sequence[Run]) -> str:
    """Return the name of the task of runs, which their predictions name, or else the folder that they are in."""
    for run in runs:
        if run.predictions:
            return run.predictions.task
    return runs[0].folder.resolve().parent.name


def configuration(runs: Sequence[Run]) -> PageSection:
    """Return the section with every setting; where the settings of runs differ, with the value of each run."""
    return _values(runs, "Configuration", "config", "config.json")


def environment(runs: Sequence[Run]) -> PageSection:
    """Return the section with commit, machine, data and versions of packages of each run."""
    return _values(runs, "Environment", "environment", "environment.json")


def _values(runs: Sequence[Run], title: str, field: str, file: str) -> PageSection:
    flat = [flat_texts(getattr(run, field)) for run in runs]
    if not any(flat):
        return absent(title, f"{file}, which training writes", f"python -m train {task_of(runs)}")
    settings: list[tuple[str, Markup]] = []
    packages: list[tuple[str, Markup]] = []
    for key in dict.fromkeys(key for run in flat for key in run):
        found = [run.get(key, "absent") for run in flat]
        same = len(set(found)) == 1
        named = [("", found[0])] if same else list(zip([run.name for run in runs], found, strict=True))
        (packages if key.startswith("packages.") else settings).append((key, values(named)))
    body = table(["key", "value"], settings)
    if packages:
        rows = [(key.removeprefix("packages."), value) for key, value in packages]
        body += details(f"{len(rows)} packages", table(["package", "version"], rows))
    return PageSection(title, body)


def flat_texts(content: Mapping[str, Any]) -> dict[str, str]:
    """Return nested tables as a flat one: the keys are joined, as in ``a.b``, and values are texts; lists are JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in flatten(content).items()
    }
