"""``python -m train lab``: train and measure the laboratory's systems, and write ``docs/laboratory.md``."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from streamer.errors import ConfigError
from train.errors import AbsentError
from train.lab import page, results
from train.lab.pictures.draw import draw_row, draw_tables
from train.lab.rows import ROWS
from train.lab.systems.network import Network
from train.loop.run import current_commit


@click.command("lab")
@click.option(
    "--only",
    "names",
    multiple=True,
    type=click.Choice(list(ROWS)),
    help="Row to make; repeatable.  [default: all]",
)
@click.option(
    "--fold", "folds", type=int, multiple=True, help="Hold out only this fold; repeatable.  [default: each]"
)
@click.option(
    "--pictures",
    is_flag=True,
    help="Train nothing: draw the rows whose runs are here, and compare the tables.",
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=results.FOLDER,
    show_default=True,
    help="Folder of the results; the page beside it gets the tables.",
)
def lab_command(names: Sequence[str], folds: Sequence[int], pictures: bool, into: Path) -> None:
    """Train each system with every fold in turn held out, measure it, and write its row.

    Runs that are finished are not trained again, and those that were interrupted go on: run the same command again.
    Without --only, rows are left out whose data, weights or programs you have not fetched.
    """
    if pictures:
        _draw(names, folds, into)
        return
    for name in names or list(ROWS):
        commit = current_commit()  # before the files of the results change
        try:
            measured, outcomes = ROWS[name].system.measure(name, folds)
        except AbsentError as error:
            if names:
                raise
            click.echo(f"left out {name}: {error}", err=True)
            continue
        command = shlex.join(["python", "-m", "train", *sys.argv[1:]])
        result = results.Result(
            **asdict(measured), command=command, commit=commit, date=time.strftime("%Y-%m-%d")
        )
        results.store(into, name, result, outcomes)
        click.echo(page.write(into))


def _draw(names: Sequence[str], folds: Sequence[int], into: Path) -> None:
    """Draw some rows, or else all that have runs here, and the comparison of each table; write the page."""
    if folds:
        raise ConfigError(
            "got --pictures and --fold; expected one: pictures are of all folds whose runs are here"
        )
    for name in names or [name for name, row in ROWS.items() if isinstance(row.system, Network)]:
        try:
            paths = draw_row(name, into)
        except ConfigError as error:
            if names:
                raise
            click.echo(f"left out {name}: {error}", err=True)
            continue
        for path in paths:
            click.echo(path)
    for path in draw_tables(into):
        click.echo(path)
    click.echo(page.write(into))
