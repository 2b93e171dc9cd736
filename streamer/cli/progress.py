"""A bar for each file, on standard error where that is a terminal: how much is heard, and how long it will take."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Show: TypeAlias = Callable[[float, float | None], None]
"""Takes the seconds that are heard, and those that there are, if that is known."""


class FileBars:
    """Bars of files that are heard one after the other, and what is said meanwhile.

    Parameters
    ----------
    progress : Progress
        That is shown.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def begin(self, name: str) -> Show:
        """A bar for the next file, in the place of that before; what it gives moves it."""
        for before in self._progress.task_ids:
            self._progress.remove_task(before)
        return partial(self._show, self._progress.add_task(name, heard="", total=None))

    def say(self, text: str, err: bool = False) -> None:
        """Print a line by itself, to standard output or error."""
        self._progress.stop()  # else the bar would be drawn over it
        click.echo(text, err=err)
        self._progress.start()

    def _show(self, task: TaskID, heard_s: float, total_s: float | None) -> None:
        self._progress.update(task, completed=heard_s, total=total_s, heard=f"{heard_s:.0f} s")


@contextmanager
def file_bars() -> Iterator[FileBars]:
    """While entered, bars are shown."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[heard]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        yield FileBars(progress)
