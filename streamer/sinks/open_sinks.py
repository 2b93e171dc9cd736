"""Make the sinks that a configuration asks for. A new sink is its file and one row of `SINKS`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TextIO

from streamer.config import Config
from streamer.history.settings import SECTION, HistoryConfig
from streamer.sinks.sink import Sink


@dataclass(frozen=True)
class SinkKind:
    """A row of `SINKS`: a kind of sink, and how it is made from the configuration.

    Attributes
    ----------
    make : str
        The function that makes the sink, as ``MODULE:NAME``, so that only the libraries of the wanted sinks are loaded.
        It takes the configuration, and whether sound takes the time that it lasts (a live sink cannot wait). It
        returns the sink, not yet opened, or None if the configuration asks for none.
    each_stream : bool
        If True, every stream has a sink of this kind, which gets all events of that stream, stems included. If False,
        the process has one sink of this kind, which gets the events of all streams, of stems only published ones.
    section : str
        Name of the section of the configuration file that belongs to this sink alone, which `make` gets from
        `Config.section`; empty if there is none.
    settings : type or None
        Dataclass of that section; None if there is none.
    """

    make: str
    each_stream: bool = False
    section: str = ""
    settings: type | None = None


SINKS: Sequence[SinkKind] = (
    SinkKind("streamer.sinks.publisher:publisher_for"),
    SinkKind("streamer.sinks.history:history_for", section=SECTION, settings=HistoryConfig),
    SinkKind("streamer.sinks.player:player_for", each_stream=True),
    SinkKind("streamer.sinks.stem_files:stem_files_for", each_stream=True),
)
"""All sinks that the configuration can ask for, in the order in which they take an event."""


def sink_sections() -> dict[str, type]:
    """Return the dataclass of each section of the configuration file that belongs to one sink, for `read_config`."""
    return {kind.section: kind.settings for kind in SINKS if kind.settings}


def process_sinks(config: Config, realtime: bool) -> list[Sink]:
    """Return the sinks of the whole process, not yet opened: each takes the events of all streams.

    Parameters
    ----------
    config : Config
    realtime : bool
        True if sound comes at its live pace, so that sinks cannot wait for a slow reader or disk.

    Raises
    ------
    ConfigError
        If a sink that the configuration asks for cannot be made.
    """
    return _made(config, realtime, each_stream=False)


def stream_sinks(config: Config, realtime: bool) -> list[Sink]:
    """Return the sinks, not yet opened, that take the events of one stream.

    Parameters
    ----------
    config : Config
        The stream's configuration, as `Config.of` gives it.
    realtime : bool
        Whether the stream's sound takes the time that it lasts, so that sinks cannot wait.

    Raises
    ------
    ConfigError
        If a sink that the configuration asks for cannot be made.
    """
    return _made(config, realtime, each_stream=True)


def output_sink(out: TextIO, as_json: bool, realtime: bool, sinks: Sequence[Sink]) -> Sink:
    """Return the sink that writes to standard output, for a person or a program.

    Parameters
    ----------
    out : text stream
    as_json : bool
        Whether every event is written as a line of JSON. Otherwise a terminal shows the live view, and anything else
        gets plain lines of what is new.
    realtime : bool
        Whether sound takes the time that it lasts; if so, lines for which a slow reader has no room are
        dropped.
    sinks : sequence of Sink
        Other sinks of the process. The title of the view says where they send messages.
    """

    def title() -> str:
        return " · ".join(["streamer", *(sink.title for sink in sinks if sink.title)])

    if as_json:
        from streamer.sinks.json_lines import JsonLines, LiveJsonLines

        return LiveJsonLines(out) if realtime else JsonLines(out)
    if out.isatty():
        from streamer.sinks.view import View  # loads rich

        return View(title)
    from streamer.sinks.lines import Lines

    return Lines(out, title)


def _made(config: Config, realtime: bool, each_stream: bool) -> list[Sink]:
    found = (_make(kind, config, realtime) for kind in SINKS if kind.each_stream == each_stream)
    return [sink for sink in found if sink]


def _make(kind: SinkKind, config: Config, realtime: bool) -> Sink | None:
    module, _, name = kind.make.partition(":")
    sink: Sink | None = getattr(import_module(module), name)(config, realtime)
    return sink
