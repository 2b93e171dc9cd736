"""Files as fast as the machine can, through the same engine as live sound."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from streamer.config import Config, StreamConfig
from streamer.errors import StreamerError
from streamer.events import Event, Status
from streamer.listen import make_engine, make_streams, run, sinks_of
from streamer.sinks.json_lines import JsonLines
from streamer.sinks.sink import Sink
from streamer.stream import Stream

PROGRESS_S = 0.2


class InterruptedByUserError(StreamerError):
    """Asked to stop before the end."""

    exit_code = 130


class SoundOnly(Sink):
    """Passes on what is said of the sound, not of the process: the same file gives the same lines.

    Parameters
    ----------
    sink : Sink
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def open(self) -> None:
        self._sink.open()

    def send(self, event: Event) -> None:
        if not isinstance(event, Status):
            self._sink.send(event)

    def close(self) -> None:
        self._sink.close()


def analyze_files(paths: Sequence[Path], config: Config, out: TextIO) -> list[Stream]:
    """Hear files one after the other and write their messages, a line of JSON each.

    Progress goes to standard error when that is a terminal. A file that fails is noted in its stream's
    `error`; the others are heard.

    Parameters
    ----------
    paths : sequence of Path
    config : Config
        Its streams are not used.
    out : text stream

    Returns
    -------
    list of Stream
        As they ended, in the order of `paths`.

    Raises
    ------
    InterruptedByUserError
        If the process was asked to stop before the end.
    """
    entries = tuple(StreamConfig(f"file:{path}") for path in paths)
    streams = make_streams(replace(config, stream=entries), realtime=False, duration_s=float("inf"))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[heard]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        for stream in streams:
            task = progress.add_task(stream.name, heard="", total=None)
            engine = make_engine(
                config, [stream], sinks_of(config.stems, [SoundOnly(JsonLines(out))], live=False)
            )
            if run(engine, partial(_show, progress, task, stream), PROGRESS_S):
                raise InterruptedByUserError(
                    f"interrupted in {stream.name}: the messages end before the sound"
                )
    return streams


def _show(progress: Progress, task: TaskID, stream: Stream) -> None:
    total_s = stream.source.total_s
    progress.update(task, completed=stream.heard_s, total=total_s, heard=f"{stream.heard_s:.0f} s")
