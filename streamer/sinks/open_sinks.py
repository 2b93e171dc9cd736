"""Make the sinks that a configuration asks for. A new sink is its file and one row of `SINKS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from streamer.config import Config
from streamer.sinks.json_lines import JsonLines, LiveJsonLines
from streamer.sinks.lines import Lines
from streamer.sinks.player import player_for
from streamer.sinks.publisher import publisher_for
from streamer.sinks.sink import Sink
from streamer.sinks.stem_files import stem_files_for
from streamer.sinks.view import View


@dataclass(frozen=True)
class SinkKind:
    """A kind of sink, and when there is one.

    Attributes
    ----------
    make : callable
        Takes the configuration and whether sound takes the time it lasts (a live sink cannot wait). Returns the
        sink, not yet opened, or None where the configuration asks for none.
    each_stream : bool
        Whether every stream has one of its own, which gets all events of that stream, stems included. Otherwise the
        process has one, which gets the events of all streams, and of stems those that are published.
    section : str
        Name of a section of the configuration file that belongs to this sink alone; empty where there is none.
        `make` takes it from `Config.section`.
    settings : type or None
        Dataclass of that section.
    """

    make: Callable[[Config, bool], Sink | None]
    each_stream: bool = False
    section: str = ""
    settings: type | None = None


SINKS: Sequence[SinkKind] = (
    SinkKind(publisher_for),
    SinkKind(player_for, each_stream=True),
    SinkKind(stem_files_for, each_stream=True),
)
"""All sinks that the configuration can ask for, in the order in which they take an event."""


def sink_sections() -> dict[str, type]:
    """Return the sections of the configuration file that belong to one sink, for `streamer.config_file.read_config`."""
    return {kind.section: kind.settings for kind in SINKS if kind.settings}


def process_sinks(config: Config, realtime: bool) -> list[Sink]:
    """Make the sinks that take the events of all streams.

    Parameters
    ----------
    config : Config
    realtime : bool
        Whether sound takes the time it lasts, so that sinks cannot wait.

    Raises
    ------
    ConfigError
        If what the configuration asks for cannot be had.
    """
    return _made(config, realtime, each_stream=False)


def stream_sinks(config: Config, realtime: bool) -> list[Sink]:
    """Make the sinks that take the events of one stream.

    Parameters
    ----------
    config : Config
        The stream's configuration, as `Config.of` gives it.
    realtime : bool
        Whether its sound takes the time it lasts, so that sinks cannot wait.

    Raises
    ------
    ConfigError
        If what the configuration asks for cannot be had.
    """
    return _made(config, realtime, each_stream=True)


def output_sink(out: TextIO, as_json: bool, realtime: bool, sinks: Sequence[Sink]) -> Sink:
    """Make the sink that a person or a program reads on standard output.

    Parameters
    ----------
    out : text stream
    as_json : bool
        Whether every event is written as a line of JSON. Otherwise a terminal shows the live view, and anything else
        gets plain lines of what is new.
    realtime : bool
        Whether sound takes the time it lasts: then lines are dropped while the reader is full.
    sinks : sequence of Sink
        The other sinks of the process; the title of the view says where their messages go.
    """

    def title() -> str:
        return " · ".join(["streamer", *(sink.title for sink in sinks if sink.title)])

    if as_json:
        return LiveJsonLines(out) if realtime else JsonLines(out)
    return View(title) if out.isatty() else Lines(out, title)


def _made(config: Config, realtime: bool, each_stream: bool) -> list[Sink]:
    found = (kind.make(config, realtime) for kind in SINKS if kind.each_stream == each_stream)
    return [sink for sink in found if sink]
