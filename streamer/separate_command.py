"""``streamer separate``: voice and accompaniment of whole files, each into a file of its own."""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.errors import ConfigError, StreamerError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False), metavar="FILE..."
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Takes DIR/NAME/voice.wav and DIR/NAME/music.wav for each file NAME.*.",
)
@click.option(
    "--model",
    required=True,
    metavar="MODEL",
    help="A separation's folder, as `python -m train export separation` writes it, or its name.",
)
def separate(files: tuple[Path, ...], out: Path, model: str) -> None:
    """Take the voice and the accompaniment of files apart; both have the file's rate, channels and length."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from streamer.separation.files import separate_file
    from streamer.separation.load import load_separation

    names = Counter(path.stem for path in files)
    if twice := [name for name, count in names.items() if count > 1]:
        raise ConfigError(
            f"{names[twice[0]]} files are called {twice[0]!r}; expected one of each name: give them in turns, each "
            "with an --out of its own"
        )
    separation = load_separation(model)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
    )
    failed = 0
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        for path in files:
            task = progress.add_task(path.name, said="", total=None)
            try:
                muted = separate_file(path, out / path.stem, separation, partial(_show, progress, task))
            except StreamerError as error:
                failed += 1
                click.echo(f"Error: {error}", err=True)
                continue
            click.echo(out / path.stem)
            if muted:
                click.echo(f"{path}: {muted} samples were no sound (NaN, infinite) and muted", err=True)
    if failed:
        sys.exit(1)


def _show(progress: Progress, task: TaskID, heard_s: float, total_s: float | None) -> None:
    progress.update(task, completed=heard_s, total=total_s, said=f"{heard_s:.0f} s")
