"""A bar for each file, on standard error where that is a terminal: how much is heard, and how long it will take."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Show: TypeAlias = Callable[[float, float | None], None]
"""Takes the seconds that are heard, and those that there are, if that is known."""


@contextmanager
def file_bars() -> Iterator[Callable[[str], Show]]:
    """While entered, calling what it gives with a file's name begins a bar, and gives what moves it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[heard]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        yield lambda name: partial(_show, progress, progress.add_task(name, heard="", total=None))


def _show(progress: Progress, task: TaskID, heard_s: float, total_s: float | None) -> None:
    progress.update(task, completed=heard_s, total=total_s, heard=f"{heard_s:.0f} s")
