"""``streamer separate``: voice and accompaniment of whole files, each into a file of its own."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.signals import StoppedBySignal
from streamer.errors import ConfigError, InterruptedByUserError, StreamerError

if TYPE_CHECKING:
    from streamer.cli.progress import FileBars
    from streamer.inference.model import Model


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False), metavar="FILE..."
)
@click.option(
    "--out",
    required=True,
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
def separate(files: tuple[Path, ...], out: str, model: str) -> None:
    """Take the voice and the accompaniment of files apart; both have the file's rate, channels and length."""
    from streamer.cli.progress import file_bars
    from streamer.pipeline.build_separation import load_separation
    from streamer.separation.separate_file import check_folders

    if not out:
        raise ConfigError("--out is empty; expected a folder")
    folders = {path: Path(out) / path.stem for path in files}
    check_folders(folders)
    separation = load_separation(model)
    stop = threading.Event()
    with file_bars() as bars, StoppedBySignal(stop):
        done = [_separate(path, folder, separation, bars, stop) for path, folder in folders.items()]
    if not all(done):
        sys.exit(1)


def _separate(path: Path, folder: Path, model: Model, bars: FileBars, stop: threading.Event) -> bool:
    """Take a file apart and say where its stems are, or why not; whether they are there."""
    from streamer.separation.separate_file import separate_file

    show = bars.begin(path.name)

    def heard(seconds: float, total_s: float | None) -> None:
        if stop.is_set():
            raise InterruptedByUserError(f"interrupted in {path}: it has no stems, nor have those after it")
        show(seconds, total_s)

    try:
        muted = separate_file(path, folder, model, heard)
    except InterruptedByUserError:
        raise
    except StreamerError as error:
        bars.say(f"Error: {error}", err=True)
        return False
    bars.say(str(folder))
    if muted:
        bars.say(f"{path}: {muted} samples were no sound (NaN, infinite) and muted", err=True)
    return True
