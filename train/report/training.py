"""Sections on how runs were trained: learning curves, configuration, environment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from train.report import plots
from train.report.page import Html, PageSection, absent, figure, table
from train.report.runs import Run

NOT_FIGURES = frozenset({"step", "seconds"})


def learning_curves(runs: Sequence[Run]) -> PageSection:
    """Every number of ``metrics.jsonl`` against the step, a line each run."""
    title = "Learning curves"
    if not any(run.metrics for run in runs):
        return absent(title, "metrics.jsonl, which training writes", f"python -m train {task_of(runs)}")
    names = dict.fromkeys(name for run in runs for line in run.metrics for name in line)
    drawings = []
    for name in (name for name in names if name not in NOT_FIGURES):
        series: dict[str, tuple[list[float], list[float]]] = {}
        for run in runs:
            there = [line for line in run.metrics if name in line]
            if there:
                series[run.name] = [line["step"] for line in there], [line[name] for line in there]
        drawings.append(figure(plots.lines(series, "step", name.replace("_", " "))))
    return PageSection(title, f'<div class="row">{"".join(drawings)}</div>')


def task_of(runs: Sequence[Run]) -> str:
    """The task that runs are of: their predictions say it, or the folder that they are in."""
    for run in runs:
        if run.predictions:
            return run.predictions.task
    return runs[0].folder.resolve().parent.name


def configuration(runs: Sequence[Run]) -> PageSection:
    """Every setting; where runs differ, each run's value."""
    return _values(runs, "Configuration", "config", "config.json")


def environment(runs: Sequence[Run]) -> PageSection:
    """Commit, machine, data and versions, as each run noted them."""
    return _values(runs, "Environment", "environment", "environment.json")


def _values(runs: Sequence[Run], title: str, field: str, file: str) -> PageSection:
    flat = [flatten(getattr(run, field)) for run in runs]
    if not any(flat):
        return absent(title, f"{file}, which training writes", f"python -m train {task_of(runs)}")
    alike: list[tuple[str, Html]] = []
    packages: list[tuple[str, Html]] = []
    for key in dict.fromkeys(key for values in flat for key in values):
        found = [values.get(key, "absent") for values in flat]
        same = len(set(found)) == 1
        shown = Html(f"<code>{escape(found[0])}</code>") if same else _each(runs, found)
        (packages if key.startswith("packages.") else alike).append((key, shown))
    body = table(["key", "value"], alike)
    if packages:
        rows = [(key.removeprefix("packages."), value) for key, value in packages]
        body += (
            f"<details><summary>{len(rows)} packages</summary>{table(['package', 'version'], rows)}</details>"
        )
    return PageSection(title, body)


def _each(runs: Sequence[Run], values: Sequence[str]) -> Html:
    parts = [
        f"{escape(run.name)}: <code>{escape(value)}</code>" for run, value in zip(runs, values, strict=True)
    ]
    return Html("<br>".join(parts))


def flatten(content: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested tables as ``a.b`` to text; lists stay whole."""
    flat: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return flat
