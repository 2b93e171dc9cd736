"""Standard output and exit codes, the same for all commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Protocol, TextIO

import click

from streamer.errors import ConfigError, EndedError, StreamerError


class Done(Protocol):
    """Interface of what was done: a stream, or a file."""

    @property
    def name(self) -> str:
        """Name for messages."""

    @property
    def error(self) -> StreamerError | None:
        """Why it failed; None if it did not."""


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


def tell(text: str, err: bool = False) -> None:
    """Print a line about work whose result lies elsewhere, as in a file: the work goes on if nobody reads the lines."""
    try:
        click.echo(text, err=err)
    except BrokenPipeError:
        discard(sys.stderr if err else sys.stdout)


def discard(stream: TextIO) -> None:
    """Let what a stream has not written yet, and all that comes, go nowhere: Python would fail on it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def leave(streams: Sequence[Done], incomplete: bool = False) -> None:
    """Print the streams that failed, and exit with 1 if any did, or if `incomplete`: something was not kept.

    If the only fault is that live streams ended, exit with `EndedError.exit_code`.
    """
    failed = [stream for stream in streams if stream.error]
    for stream in failed:
        click.echo(f"Error: {stream.name}: {stream.error}", err=True)
    if failed or incomplete:
        only_ended = not incomplete and all(isinstance(stream.error, EndedError) for stream in failed)
        sys.exit(EndedError.exit_code if only_ended else 1)
