"""``streamer separate``: split whole files into a file for the voice and one for the music."""

from __future__ import annotations

import sys
import threading
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.helpers.jobs import cores, in_processes, jobs_option
from streamer.cli.helpers.options import SOUND_FILE, channel_option, track_option
from streamer.cli.helpers.signals import StoppedBySignal
from streamer.config import Config, StreamConfig
from streamer.errors import ConfigError, InterruptedByUserError, StreamerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamer.cli.helpers.progress import FileBars, Show
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
@jobs_option
def separate(
    files: tuple[Path, ...], out: str, model: str, channel: int | None, track: str | None, jobs: int | None
) -> None:
    """Split files into voice and music; both have the file's rate, channels and length."""
    from streamer.separation.separate_file import check_folders

    if not out:
        raise ConfigError("--out is empty; expected a folder")
    folders = tuple(Path(out) / path.stem for path in files)
    check_folders(dict(zip(files, folders, strict=True)))
    work = FilesToSeparate(files, folders, model, StreamConfig(channel=channel or 0, track=track or ""))
    jobs = min(jobs or cores(), len(files))
    done = separate_in_turn(work) if jobs == 1 else separate_in_processes(work, jobs)
    if any(separated.error for separated in done):
        sys.exit(1)


@dataclass(frozen=True)
class FilesToSeparate:
    """Files, and how they are split.

    Attributes
    ----------
    paths, folders : tuple of Path
        Files, and the folder for the stems of each.
    model : str
        Name or folder of a separation model.
    heard : StreamConfig
        Channel and track that are heard.
    """

    paths: tuple[Path, ...]
    folders: tuple[Path, ...]
    model: str
    heard: StreamConfig


@dataclass(frozen=True)
class SeparatedFile:
    """Outcome of the separation of a file.

    Attributes
    ----------
    path : Path
    folder : Path
        Folder of its stems, unless there is an error.
    error : StreamerError or None
        Why there are no stems; None if there are.
    muted_samples : int
        Number of samples that were NaN, infinite or absurdly large, and were muted.
    """

    path: Path
    folder: Path
    error: StreamerError | None = None
    muted_samples: int = 0


def separate_in_turn(work: FilesToSeparate) -> list[SeparatedFile]:
    """Split files one after the other, and print the folder of the stems of each, or why there are none.

    Raises
    ------
    ModelError
        If there is no such model, or it is no separation model.
    InterruptedByUserError
        If the process was asked to stop before the end.
    """
    from streamer.cli.helpers.progress import file_bars
    from streamer.pipeline.build_separation import load_separation

    model = load_separation(work.model)
    done = []
    with file_bars() as bars:
        for number, path in enumerate(work.paths):
            done.append(_separate(work, number, model, bars.begin(path.name)))
            _tell(done[-1], bars)
    return done


def separate_in_processes(work: FilesToSeparate, jobs: int) -> list[SeparatedFile]:
    """Split files as `separate_in_turn` does, several at a time, each in a process of its own."""
    from streamer.cli.helpers.progress import file_bars

    done = []
    separated_files = in_processes(partial(_prepare, work), len(work.paths), jobs)
    with file_bars() as bars, closing(separated_files):
        show = bars.begin_many(len(work.paths))
        for separated in separated_files:
            done.append(separated)
            _tell(separated, bars)
            show(len(done))
    return done


def _prepare(work: FilesToSeparate) -> Callable[[int], SeparatedFile]:
    """Return the function that splits the file with a number."""
    from streamer.pipeline.build_separation import load_separation

    model = load_separation(work.model)
    return lambda number: _separate(work, number, model, lambda _done_s, _total_s: None)


def _separate(work: FilesToSeparate, number: int, model: Model, show: Show) -> SeparatedFile:
    """Split a file; SIGINT and SIGTERM interrupt it."""
    from streamer.separation.separate_file import separate_file
    from streamer.sources.open_source import source_for

    path, folder, stop = work.paths[number], work.folders[number], threading.Event()

    def show_progress(seconds: float, total_s: float | None) -> None:
        if stop.is_set():
            raise InterruptedByUserError(f"interrupted in {path}: it has no stems, nor have those after it")
        show(seconds, total_s)

    try:
        with StoppedBySignal(stop):
            source = source_for(replace(work.heard, device=f"file:{path}"), Config(), realtime=False)
            return SeparatedFile(
                path, folder, muted_samples=separate_file(source, path, folder, model, show_progress)
            )
    except InterruptedByUserError:
        raise
    except StreamerError as error:
        return SeparatedFile(path, folder, error)


def _tell(separated: SeparatedFile, bars: FileBars) -> None:
    """Print what came of a file."""
    if separated.error:
        bars.print_line(f"Error: {separated.error}", err=True)
        return
    bars.print_line(str(separated.folder))
    if separated.muted_samples:
        bars.print_line(
            f"{separated.path}: {separated.muted_samples} samples were no sound (NaN, infinite) and muted",
            err=True,
        )
