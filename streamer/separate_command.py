"""``streamer separate``: voice and accompaniment of whole files, each into a file of its own."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from streamer.errors import ConfigError, StreamerError


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
    default="separation",
    show_default=True,
    metavar="MODEL",
    help="A separation's name, or its folder, as `python -m train export separation` writes it.",
)
def separate(files: tuple[Path, ...], out: Path, model: str) -> None:
    """Take the voice and the accompaniment of files apart; both have the file's rate, channels and length."""
    from streamer.progress import file_bars
    from streamer.separation.files import separate_file
    from streamer.separation.load import load_separation

    names = Counter(path.stem for path in files)
    if twice := [name for name, count in names.items() if count > 1]:
        raise ConfigError(
            f"{names[twice[0]]} files are called {twice[0]!r}; expected one of each name: give them in turns, each "
            "with an --out of its own"
        )
    separation = load_separation(model)
    failed = 0
    with file_bars() as begin:
        for path in files:
            try:
                muted = separate_file(path, out / path.stem, separation, begin(path.name))
            except StreamerError as error:
                failed += 1
                click.echo(f"Error: {error}", err=True)
                continue
            click.echo(out / path.stem)
            if muted:
                click.echo(f"{path}: {muted} samples were no sound (NaN, infinite) and muted", err=True)
    if failed:
        sys.exit(1)
