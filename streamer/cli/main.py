"""The command line: its commands parse options, call the Python interface and print."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from streamer.cli.helpers.terminal import discard, standard_output
from streamer.errors import InterruptedByUserError, StreamerError, reason_of

COMMANDS = (
    "analyze",
    "bench",
    "devices",
    "keys",
    "listen",
    "models",
    "reload",
    "report",
    "search",
    "separate",
    "subscribe",
    "teach",
)
"""Names of the commands. Each is that of its module beside this one, which is imported when the command is used."""


class _ShownError(click.ClickException):
    """Shows a StreamerError as click shows its own errors: one line, no traceback."""

    def __init__(self, error: StreamerError) -> None:
        super().__init__(str(error))
        vars(self)["exit_code"] = (
            error.exit_code
        )  # click declares it on the class and reads it from the instance


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - they are the same everywhere
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"streamer.cli.{cmd_name}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            standard_output()  # every command prints something
            return super().invoke(ctx)
        except StreamerError as error:
            if error.exit_code == 0:
                return None  # the reader of the output has closed it
            raise _ShownError(error) from error
        except KeyboardInterrupt as error:
            raise _ShownError(InterruptedByUserError("interrupted")) from error
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # click handles it
            discard(standard_output())
            raise _ShownError(
                StreamerError(f"{reason_of(error)}; the output cannot be written: write it elsewhere")
            ) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="streamer")
def main() -> None:
    """Label live audio in real time, and split voice from music."""
