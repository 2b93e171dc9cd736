"""``streamer separate``: split whole files into a file for the voice and one for the music."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.helpers.options import SOUND_FILE, channel_option, track_option
from streamer.cli.helpers.signals import StoppedBySignal
from streamer.config import Config, StreamConfig
from streamer.errors import ConfigError, InterruptedByUserError, StreamerError

if TYPE_CHECKING:
    from streamer.cli.helpers.progress import FileBars
    from streamer.inference.model import Model


@click.command(short_help="Split files into voice and music.")
@click.argument("files", nargs=-1, required=True, type=SOUND_FILE, metavar="FILE...")
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    help="Folder for DIR/NAME/voice.wav and DIR/NAME/music.wav of each file NAME.*.",
)
@click.option(
    "--model",
    default="separation",
    show_default=True,
    metavar="MODEL",
    help="Name of a separation model, or its folder, as `python -m train export separation` writes it.",
)
@channel_option
@track_option
def separate(files: tuple[Path, ...], out: str, model: str, channel: int | None, track: str | None) -> None:
    """Split files into voice and music; both have the file's rate, channels and length."""
    from streamer.cli.helpers.progress import file_bars
    from streamer.pipeline.build_separation import load_separation
    from streamer.separation.separate_file import check_folders

    if not out:
        raise ConfigError("--out is empty; expected a folder")
    folders = {path: Path(out) / path.stem for path in files}
    check_folders(folders)
    separation = load_separation(model)
    stop = threading.Event()
    with file_bars() as bars, StoppedBySignal(stop):
        heard = StreamConfig(channel=channel or 0, track=track or "")
        done = [
            _separate(replace(heard, device=f"file:{path}"), path, folder, separation, bars, stop)
            for path, folder in folders.items()
        ]
    if not all(done):
        sys.exit(1)


def _separate(
    entry: StreamConfig, path: Path, folder: Path, model: Model, bars: FileBars, stop: threading.Event
) -> bool:
    """Split a file and print the folder of its stems, or why there are none; return whether there are."""
    from streamer.separation.separate_file import separate_file
    from streamer.sources.open_source import source_for

    show = bars.begin(path.name)

    def show_progress(seconds: float, total_s: float | None) -> None:
        if stop.is_set():
            raise InterruptedByUserError(f"interrupted in {path}: it has no stems, nor have those after it")
        show(seconds, total_s)

    try:
        source = source_for(entry, Config(), realtime=False)
        muted = separate_file(source, path, folder, model, show_progress)
    except InterruptedByUserError:
        raise
    except StreamerError as error:
        bars.print_line(f"Error: {error}", err=True)
        return False
    bars.print_line(str(folder))
    if muted:
        bars.print_line(f"{path}: {muted} samples were no sound (NaN, infinite) and muted", err=True)
    return True
