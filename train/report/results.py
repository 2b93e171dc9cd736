"""The page ``docs/results.md``, made from ``docs/results/*.json``, which commands fill in, never a hand.

A file names a command and, in each row, the path of a figure in the JSON that the command prints. `measure` runs the
command and writes the figures, the date and the commit into the file; `markdown` makes the page.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamer.config_file import from_mapping
from streamer.errors import ConfigError
from train.loop.run import current_commit

FOLDER = Path("docs") / "results"
PAGE = Path("docs") / "results.md"
PYTHON = "python -m train "
ABOUT = """# Results

`python -m train results` writes this page from `docs/results/*.json`; do not edit it. `make reproduce` runs every
command below and stores the figures that it prints; the data sets are read from `STREAMER_DATA`. A number after ± is
the sample standard deviation over folds. An aim is met if the figure itself reaches it. An anchor is a published figure
to compare with.
"""
_AIM = re.compile(r"(<=|>=) ([\d.]+)")


@dataclass(frozen=True)
class Row:
    r"""One figure of a table in ``docs/results.md``: what it is, where it is read, its aim and its measured value.

    Attributes
    ----------
    figure : str
        Description of the figure, for a reader.
    path : str
        Path of the figure in the printed JSON: keys separated by dots, with ``\.`` for a dot in a key. The value is a
        number, or ``{"mean": ..., "spread": ...}`` over folds.
    unit : str
        Unit of the figure; empty for shares.
    aim : str
        Goal, such as ``>= 0.97`` or ``<= 3``; empty if there is none.
    anchor : str
        Published figure to compare with, and its source.
    measured, spread : float or None
        Measured value, and its sample standard deviation over folds. The value is None until it is measured, the spread
        also if there is one fold only.
    """

    figure: str
    path: str
    unit: str = ""
    aim: str = ""
    anchor: str = ""
    measured: float | None = None
    spread: float | None = None

    def __post_init__(self) -> None:
        if self.aim and not _AIM.fullmatch(self.aim):
            raise ConfigError(
                f"aim of {self.figure!r} is {self.aim!r}; expected '>= NUMBER' or '<= NUMBER', or none"
            )

    @property
    def met(self) -> bool | None:
        """Whether the measured value reaches the aim; None if there is no aim or no measured value."""
        found = _AIM.fullmatch(self.aim)
        if found is None or self.measured is None:
            return None
        bound = float(found[2])
        return self.measured >= bound if found[1] == ">=" else self.measured <= bound


@dataclass(frozen=True)
class Results:
    """Figures that one command prints, with their descriptions: a file in ``docs/results``, a table on the page.

    Attributes
    ----------
    title : str
        Heading of the table.
    command : str
        Command that prints one JSON object; it begins with ``python -m train``.
    split : str
        Description of the data, and of what was held out.
    rows : tuple of Row
        Figures of the table.
    before : tuple of str
        Commands to run before `command`, such as trainings.
    notes : str
        Remarks that a reader needs to judge the figures.
    picture : str
        File name of a plot of these figures, which lies beside the page; empty if there is none.
    date, commit : str
        Date and commit of the measurement; empty until the figures are measured.
    """

    title: str
    command: str
    split: str
    rows: tuple[Row, ...]
    before: tuple[str, ...] = ()
    notes: str = ""
    picture: str = ""
    date: str = ""
    commit: str = ""

    def __post_init__(self) -> None:
        for command in (*self.before, self.command):
            if not command.startswith(PYTHON):
                raise ConfigError(
                    f"command of {self.title!r} is {command!r}; expected one that begins with {PYTHON!r}"
                )


def read(path: Path) -> Results:
    """Return the content of a file of ``docs/results``.

    Raises
    ------
    ConfigError
        If the file is not JSON, lacks a field, or has an unknown one.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(from_mapping(Row, row) for row in content.pop("rows"))
        return Results(rows=rows, before=tuple(content.pop("before", ())), **content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} is not a file of results ({error!r}); see train/report/results.py"
        ) from error


def read_all(folder: Path = FOLDER) -> dict[Path, Results]:
    """Return the content of every file of results in a folder, by its path, in the order of their names.

    Raises
    ------
    ConfigError
        If the folder has no files of results.
    """
    found = {path: read(path) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise ConfigError(f"{folder} has no *.json; expected files of results, see train/report/results.py")
    return found


def write(results: Results, path: Path) -> None:
    """Write `results` to `path` as JSON; empty fields are left out."""
    content = asdict(results)
    content = {key: value for key, value in content.items() if value != ""}
    content["rows"] = [
        {key: value for key, value in row.items() if value not in ("", None)} for row in content["rows"]
    ]
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def commands(found: Iterable[Results]) -> list[str]:
    """Return the commands that reproduce all of the results, in the order in which they must run, each once."""
    return list(dict.fromkeys(command for results in found for command in (*results.before, results.command)))


def run(command: str) -> str:
    """Run a command line with this Python, and return what the command printed.

    Raises
    ------
    ConfigError
        If the command fails.
    """
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[1:]], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise ConfigError(f"{command} left with {done.returncode}; expected 0: its messages are above")
    return done.stdout


def measure(results: Results) -> Results:
    """Run the command of `results`, and return `results` with the printed figures, today's date and the commit.

    Raises
    ------
    ConfigError
        If the command fails or does not print JSON, or a row's path does not lead to a number.
    """
    text = run(results.command)
    try:
        printed = json.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"{results.command} printed no JSON ({error}); expected one object of figures"
        ) from error
    return fill(results, printed, time.strftime("%Y-%m-%d"), current_commit())


def fill(results: Results, printed: Any, date: str, commit: str) -> Results:
    """Return `results` with the value of every row taken from `printed`, the JSON that the command printed.

    Raises
    ------
    ConfigError
        If the path of a row does not lead to a number, or to a mean and a spread.
    """
    rows = []
    for row in results.rows:
        value = _at(printed, row.path, results.command)
        spread = value.get("spread") if isinstance(value, dict) else None
        mean = value.get("mean") if isinstance(value, dict) else value
        if isinstance(mean, bool) or not isinstance(mean, int | float):
            raise ConfigError(
                f"{row.path} of `{results.command}` is {value!r}; expected a number, or a mean and a spread"
            )
        rows.append(dataclasses.replace(row, measured=mean, spread=spread))
    return dataclasses.replace(results, rows=tuple(rows), date=date, commit=commit)


def _at(printed: Any, path: str, command: str) -> Any:
    for key in re.split(r"(?<!\\)\.", path):
        name = key.replace("\\.", ".")
        if not isinstance(printed, dict) or name not in printed:
            there = ", ".join(printed) if isinstance(printed, dict) else repr(printed)
            raise ConfigError(
                f"`{command}` printed no {path}: no {name!r} among {there}; mend the row's path"
            )
        printed = printed[name]
    return printed


def markdown(found: Sequence[Results]) -> str:
    """Return the text of the page ``docs/results.md``, with a table for each of the results."""
    return "\n".join([ABOUT, *(line for results in found for line in _table(results))])


def _table(results: Results) -> list[str]:
    lines = [f"## {results.title}", "", f"{results.split}", ""]
    lines += ["| figure | anchor | aim | measured | aim met |", "| --- | --- | --- | --- | --- |"]
    met = {True: "yes", False: "no", None: ""}
    for row in results.rows:
        unit = f" {row.unit}" if row.unit else ""
        bound = _AIM.fullmatch(row.aim)
        aim = f"{bound[1]} {_number(float(bound[2]))}{unit}" if bound else ""
        lines.append(f"| {row.figure} | {row.anchor} | {aim} | {_value(row)}{unit} | {met[row.met]} |")
    picture = f"![{results.title}]({results.picture})" if results.picture else ""
    lines += ["", *(line for text in (picture, results.notes) if text for line in (text, ""))]
    lines += ["```sh", *commands([results]), "```", ""]
    if results.date:
        lines += [
            f"Measured on {results.date} at commit {results.commit[:12]}{'+' * results.commit.endswith('+')}.",
            "",
        ]
    return lines


def _value(row: Row) -> str:
    if row.measured is None:
        return "not measured"
    return _number(row.measured) + (f" ± {row.spread:.2g}" if row.spread is not None else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
