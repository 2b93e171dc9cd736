"""``streamer analyze``: files to lines of JSON, as fast as the machine can."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

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
from streamer.errors import InterruptedByUserError

if TYPE_CHECKING:
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
) -> None:
    """Analyze files as fast as the machine can; the messages go to standard output, a line of JSON each."""
    config = option_config(config_path, models, prefer, backend, threads)
    streams = analyze_files(files, config, standard_output(), channel, start_time or "", track or "")
    for stream in streams:
        for warning in stream.sound_warnings:
            click.echo(f"{stream.name}: {warning}", err=True)
    leave(streams)


def analyze_files(
    paths: Sequence[Path],
    config: Config,
    out: TextIO,
    channel: int | None = None,
    start_time: str = "",
    track: str = "",
) -> list[Stream]:
    """Analyze files one after the other and write their messages, a line of JSON each.

    Progress goes to standard error when that is a terminal. A file that fails is noted in its stream's
    `error`; the others are analyzed.

    Parameters
    ----------
    paths : sequence of Path
    config : Config
        Its streams are not used.
    out : text stream
    channel : int or None
        Number, from 1, of the one channel that is heard; None hears all of them.
    track : str
        Number or language of the sound track that is heard; empty for the first.
    start_time : str
        As of `StreamConfig`, for every file.

    Returns
    -------
    list of Stream
        The streams after they have ended, in the order of `paths`.

    Raises
    ------
    InterruptedByUserError
        If the process was asked to stop before the end.
    """
    with quick_start():
        from streamer.api.analyze import streams_of_files
        from streamer.cli.helpers.progress import file_bars
        from streamer.cli.helpers.run_engine import run_engine
        from streamer.engine.engine import Engine
        from streamer.engine.warm_up import get_ready
        from streamer.events.kinds import Status
        from streamer.sinks.json_lines import JsonLines
        from streamer.sinks.sink import Filtered

        streams = streams_of_files(paths, config, channel, start_time, track)
        get_ready(streams, config.publish)
    with file_bars() as bars:
        for stream in streams:
            # Without statuses, which tell of the process, the same file gives the same lines.
            engine = Engine([stream], [Filtered(Status, JsonLines(out, stream.address))], config)
            if run_engine(engine, partial(_show, bars.begin(stream.name), stream), PROGRESS_S):
                raise InterruptedByUserError(
                    f"interrupted in {stream.name}: the messages end before the sound"
                )
    return streams


def _show(show: Show, stream: Stream) -> None:
    show(stream.position_s, stream.source.total_s)
