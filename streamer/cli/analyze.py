"""Files as fast as the machine can, through the same engine as live sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

from streamer.cli.progress import Show, file_bars
from streamer.config import Config, StreamConfig
from streamer.engine.build_streams import make_streams, run
from streamer.engine.engine import Engine
from streamer.engine.stream import Stream
from streamer.engine.warm_up import get_ready
from streamer.errors import InterruptedByUserError
from streamer.events import Status
from streamer.inference.model_cache import ModelCache
from streamer.sinks.json_lines import JsonLines
from streamer.sinks.sink import Filtered

PROGRESS_S = 0.2


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
    # Nothing is played of what is heard faster than it sounds.
    config = replace(config, stems=replace(config.stems, play=""))
    entries = tuple(StreamConfig(f"file:{path}") for path in paths)
    streams = make_streams(
        replace(config, stream=entries),
        realtime=False,
        duration_s=float("inf"),
        loaded=ModelCache(config.engine),
    )
    get_ready(streams, config.publish)
    with file_bars() as bars:
        for stream in streams:
            # Without what is said of the process, the same file gives the same lines.
            sinks = [Filtered(Status, JsonLines(out))]
            show = partial(_show, bars.begin(stream.name), stream)
            if run(Engine([stream], sinks, config), show, PROGRESS_S):
                raise InterruptedByUserError(
                    f"interrupted in {stream.name}: the messages end before the sound"
                )
    return streams


def _show(show: Show, stream: Stream) -> None:
    show(stream.heard_s, stream.source.total_s)
