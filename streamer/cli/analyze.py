"""``streamer analyze``: files to lines of JSON, as fast as the machine can."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from streamer.cli.helpers.jobs import cores, in_processes, jobs_option
from streamer.cli.helpers.options import (
    SOUND_FILE,
    channel_option,
    engine_options,
    model_options,
    option_config,
    start_time_option,
    track_option,
)
from streamer.cli.helpers.quick_start import quick_start
from streamer.cli.helpers.terminal import leave, standard_output
from streamer.errors import InterruptedByUserError, StreamerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamer.cli.helpers.progress import Show
    from streamer.config import Config
    from streamer.engine.stream import Stream

PROGRESS_S = 0.2


@click.command(short_help="Analyze files, and print lines of JSON.")
@click.argument("files", nargs=-1, required=True, type=SOUND_FILE, metavar="FILE...")
@model_options
@engine_options
@channel_option
@track_option
@start_time_option
@jobs_option
def analyze(
    files: tuple[Path, ...],
    config_path: Path | None,
    models: tuple[str, ...],
    prefer: str | None,
    backend: str | None,
    threads: int | None,
    channel: int | None,
    track: str | None,
    start_time: str | None,
    jobs: int | None,
) -> None:
    """Analyze files as fast as the machine can; the messages go to standard output, a line of JSON each."""
    config = option_config(config_path, models, prefer, backend, threads)
    work = FilesToAnalyze(files, config, channel, track or "", start_time or "")
    # Each process would load the models into the memory of the GPU.
    jobs = jobs or (cores() if config.engine.backend == "cpu" else 1)
    out = standard_output()
    done = analyze_in_turn(work, out) if min(jobs, len(files)) == 1 else analyze_in_processes(work, out, jobs)
    for analyzed in done:
        for warning in analyzed.warnings:
            click.echo(f"{analyzed.name}: {warning}", err=True)
    leave(done)


@dataclass(frozen=True)
class FilesToAnalyze:
    """Files, and how they are analyzed.

    Attributes
    ----------
    paths : tuple of Path
    config : Config
        Its streams are not used.
    channel : int or None
        Number, from 1, of the one channel that is heard; None hears all of them.
    track : str
        Number or language of the sound track that is heard; empty for the first.
    start_time : str
        As of `StreamConfig`, for every file.
    """

    paths: tuple[Path, ...]
    config: Config
    channel: int | None = None
    track: str = ""
    start_time: str = ""

    def streams(self) -> list[Stream]:
        """Return a stream for each file, warmed up and not yet opened."""
        with quick_start():
            from streamer.api.analyze import streams_of_files
            from streamer.engine.warm_up import get_ready

            streams = streams_of_files(self.paths, self.config, self.channel, self.start_time, self.track)
            get_ready(streams, self.config.publish)
        return streams


@dataclass(frozen=True)
class AnalyzedFile:
    """Outcome of the analysis of a file, besides its messages.

    Attributes
    ----------
    name : str
        Name of its stream.
    error : StreamerError or None
        Why it failed, if it did.
    warnings : tuple of str
        What was found in its sound.
    """

    name: str
    error: StreamerError | None
    warnings: tuple[str, ...]


def analyze_in_turn(work: FilesToAnalyze, out: TextIO) -> list[AnalyzedFile]:
    """Analyze files one after the other and write their messages, a line of JSON each.

    Progress goes to standard error when that is a terminal. A file that fails is noted in its result's
    `error`; the others are analyzed.

    Returns
    -------
    list of AnalyzedFile
        In the order of the files.

    Raises
    ------
    InterruptedByUserError
        If the process was asked to stop before the end.
    """
    streams = work.streams()
    from streamer.cli.helpers.progress import file_bars

    with file_bars() as bars:
        return [_analyze(stream, work.config, out, bars.begin(stream.name)) for stream in streams]


def analyze_in_processes(work: FilesToAnalyze, out: TextIO, jobs: int) -> list[AnalyzedFile]:
    """Analyze files as `analyze_in_turn` does, several at a time, each in a process of its own.

    The messages of a file wait in a temporary file until those of all files before it are written.
    """
    from streamer.cli.helpers.progress import file_bars
    from streamer.sinks.line_writer import LineWriter

    done: list[AnalyzedFile] = []
    with tempfile.TemporaryDirectory(prefix="streamer-") as folder, file_bars() as bars:
        show = bars.begin_many(len(work.paths))
        writer = LineWriter(out)
        prepare = partial(_prepare, work, Path(folder))
        with closing(in_processes(prepare, len(work.paths), jobs)) as analyzed_files:
            for analyzed in analyzed_files:
                for line in _lines(_messages(Path(folder), len(done))):
                    writer.write(line)
                done.append(analyzed)
                show(len(done))
    return done


def _prepare(work: FilesToAnalyze, folder: Path) -> Callable[[int], AnalyzedFile]:
    """Return the function that analyzes the file with a number, and writes its messages into `folder`."""
    streams = work.streams()

    def analyze_number(number: int) -> AnalyzedFile:
        with _messages(folder, number).open("w", encoding="utf-8") as out:
            return _analyze(streams[number], work.config, out, lambda _done_s, _total_s: None)

    return analyze_number


def _messages(folder: Path, number: int) -> Path:
    return folder / f"{number}.jsonl"


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file, which is removed."""
    with path.open(encoding="utf-8") as file:
        path.unlink()
        for line in file:
            yield line.removesuffix("\n")


def _analyze(stream: Stream, config: Config, out: TextIO, show: Show) -> AnalyzedFile:
    """Analyze the file of a stream to its end."""
    from streamer.cli.helpers.run_engine import run_engine
    from streamer.engine.engine import Engine
    from streamer.events.kinds import Status
    from streamer.sinks.json_lines import JsonLines
    from streamer.sinks.sink import Filtered

    # Without statuses, which tell of the process, the same file gives the same lines.
    engine = Engine([stream], [Filtered(Status, JsonLines(out, stream.address))], config)
    if run_engine(engine, partial(_show, show, stream), PROGRESS_S):
        raise InterruptedByUserError(f"interrupted in {stream.name}: the messages end before the sound")
    return AnalyzedFile(stream.name, stream.error, tuple(stream.sound_warnings))


def _show(show: Show, stream: Stream) -> None:
    show(stream.position_s, stream.source.total_s)
