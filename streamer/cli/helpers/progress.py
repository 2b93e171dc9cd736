"""Show a progress bar for each file, on standard error if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from streamer.cli.helpers.terminal import tell

Show: TypeAlias = Callable[[float, float | None], None]
"""Function that moves a bar: takes the seconds that are done, and the length of the file in seconds if it is known."""


class FileBars:
    """Shows the bars of files that are processed one after the other, and lines of text above them.

    Parameters
    ----------
    progress : Progress
        The display of the bars.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def begin(self, name: str) -> Show:
        """Show a bar for the next file in place of the last one; return a function that sets how far the bar is."""
        for before in self._progress.task_ids:
            self._progress.remove_task(before)
        return partial(self._show, self._progress.add_task(name, heard="", total=None))

    def begin_many(self, count: int) -> Callable[[int], None]:
        """Show one bar for files that are processed at the same time; return a function that sets how many are done."""
        task = self._progress.add_task(f"{count} files", heard="0 done", total=count)
        return lambda done: self._progress.update(task, completed=done, heard=f"{done} done")

    def print_line(self, text: str, err: bool = False) -> None:
        """Print a line above the bar, to standard output or error."""
        self._progress.stop()  # otherwise the bar would be drawn over the line
        tell(text, err)
        self._progress.start()

    def _show(self, task: TaskID, heard_s: float, total_s: float | None) -> None:
        self._progress.update(task, completed=heard_s, total=total_s, heard=f"{heard_s:.0f} s")


@contextmanager
def file_bars() -> Iterator[FileBars]:
    """Show progress bars inside a ``with`` block, which gets a `FileBars`."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[heard]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        yield FileBars(progress)
