"""What commands have in common on the terminal: where they write, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

import click

from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.stream import Stream


def standard_output() -> TextIO:
    """Standard output.

    Raises
    ------
    ConfigError
        If it was closed.
    """
    if sys.stdout is None:
        raise ConfigError("standard output is closed; send it to a file, or to /dev/null to see nothing")
    return sys.stdout


def leave(streams: Sequence[Stream]) -> None:
    """Say what failed; leave with 1 if anything did, or if stems are missing that were to be kept."""
    failed = [stream for stream in streams if stream.error]
    for stream in failed:
        click.echo(f"Error: {stream.name}: {stream.error}", err=True)
    if failed or any(sink.incomplete for stream in streams for sink in stream.sinks):
        sys.exit(1)
