"""Write the tables of ``docs/laboratory.md`` from the stored results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from train.evaluate.metrics.spread import Spread
from train.lab import results
from train.lab.paired import compare
from train.lab.pairs import PAIRS
from train.lab.pictures.draw import CAPTIONS
from train.lab.results import Result
from train.lab.rows import ROWS, LabRow
from train.lab.tables import TABLES, Table
from train.report.page_tables import short_commit, table, write_tables

COSTS = (
    "causal",
    "parameters",
    "MMAC a second",
    "ms a second",
    "memory, MB",
    "training, minutes a fold",
)


PLACES = (*(table.place for table in TABLES), "pairs", "pictures", "commands")
"""Names of the places of the page that are written."""


def write(folder: Path) -> Path:
    """Write the tables of the page beside a folder, such as ``docs/laboratory.md``; return its path.

    Raises
    ------
    ConfigError
        If the page is absent, or lacks the place of a table.
    """
    page, found = folder.with_suffix(".md"), results.read(folder)
    tables = {table.place: _lines(table, found) for table in TABLES}
    write_tables(
        page, {**tables, "pairs": _pairs(folder), "pictures": _pictures(folder), "commands": _commands(found)}
    )
    return page


def _lines(of: Table, found: Mapping[str, Result]) -> list[str]:
    place = of.of or of.place
    rows = [
        (row, found[name])
        for name, row in ROWS.items()
        # A result that was measured before a figure was added lacks it.
        if row.table.place == place and name in found and set(of.figures) <= set(found[name].figures)
    ]
    if not rows:
        return ["No row of this table has been measured yet."]
    costs = () if of.of else COSTS
    return table(("system", *of.figures, *costs), [_cells(of, row, result) for row, result in rows])


def _cells(of: Table, row: LabRow, result: Result) -> list[str]:
    figures = [result.named(row.title), *(_figure(of, result.figures[name]) for name in of.figures)]
    return figures if of.of else [*figures, *_costs(row, result)]


def _costs(row: LabRow, result: Result) -> list[str]:
    """Return the cells of `COSTS`."""
    return [
        "yes" if row.system.causal else "no",
        "" if result.parameters is None else f"{result.parameters:,}",
        "" if result.mmacs_per_s is None else f"{result.mmacs_per_s:.1f}",
        f"{result.ms_per_s:.2f}",
        f"{result.memory_mb:.0f}",
        "" if result.minutes is None else f"{result.minutes:.1f}",
    ]


def _figure(of: Table, folds: Mapping[str, float]) -> str:
    found = Spread.of({int(fold): value for fold, value in folds.items()})
    if list(found.folds) == [of.fold]:
        return f"{found.mean:.{of.decimals}f}"
    return str(found) if len(folds) > 1 else f"{found} (fold {next(iter(folds))})"


def _pairs(folder: Path) -> list[str]:
    """Return the table of the differences of `PAIRS`, as far as both rows are measured."""
    cells = []
    for names in PAIRS:
        first, second = (results.read_outcomes(folder, name) for name in names)
        found = compare(first, second) if first and second else None
        if found:
            cells.append(
                (
                    *(ROWS[name].title for name in names),
                    *(f"{accuracy:.3f}" for accuracy in found.accuracies),
                    f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})",
                    f"{found.p:.3f}" if found.p >= 0.001 else "below 0.001",
                    f"{found.recordings:,}",
                    ", ".join(map(str, found.folds)),
                )
            )
    if not cells:
        return ["No two rows have been compared yet."]
    heads = (
        "a",
        "b",
        "accuracy of a",
        "of b",
        "difference, and 95 % interval",
        "p",
        "recordings",
        "of folds",
    )
    return table(heads, cells)


def _pictures(folder: Path) -> list[str]:
    """Return the pictures that are there: those of the tables, then those of each row below its title."""
    home = folder.parent
    tables = {table.place: folder / f"{table.place}.svg" for table in TABLES}
    lines = [
        f"![{place}: figure against cost]({path.relative_to(home).as_posix()})"
        for place, path in tables.items()
        if path.is_file()
    ]
    for name, row in ROWS.items():
        there = {picture: folder / name / f"{picture}.svg" for picture in CAPTIONS}
        shown = {picture: path for picture, path in there.items() if path.is_file()}
        lines += [f"### {name}: {row.title}"] if shown else []
        for picture, path in shown.items():
            lines += [
                CAPTIONS[picture],
                f"![{name}, {picture}]({path.relative_to(home).as_posix()})",
            ]
    spaced = [line for text in lines for line in (text, "")][:-1]
    return spaced or ["No pictures have been drawn yet."]


def _commands(found: Mapping[str, Result]) -> list[str]:
    return table(
        ("row", "measured by", "on", "at commit"),
        [
            (name, f"`{result.command}`", result.date, short_commit(result.commit))
            for name, result in found.items()
        ],
    )
