"""Standard output and exit codes, the same for all commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

import click

from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.engine.stream import Stream


def standard_output() -> TextIO:
    """Return standard output as a text stream.

    Raises
    ------
    ConfigError
        If standard output is closed.
    """
    if sys.stdout is None:
        raise ConfigError("standard output is closed; send it to a file, or to /dev/null to see nothing")
    return sys.stdout


def leave(streams: Sequence[Stream], incomplete: bool = False) -> None:
    """Print the streams that failed; exit with code 1 if one did, or if `incomplete`: some output was not kept."""
    failed = [stream for stream in streams if stream.error]
    for stream in failed:
        click.echo(f"Error: {stream.name}: {stream.error}", err=True)
    if failed or incomplete:
        sys.exit(1)
