"""The command line: its commands parse options, call the Python interface and print."""

from __future__ import annotations

from typing import Any

import click

from streamer.cli.analyze import analyze
from streamer.cli.bench import bench
from streamer.cli.devices import devices
from streamer.cli.helpers.terminal import standard_output
from streamer.cli.keys import keys
from streamer.cli.listen import listen
from streamer.cli.models import models
from streamer.cli.reload import reload
from streamer.cli.separate import separate
from streamer.cli.subscribe import subscribe
from streamer.cli.teach import teach
from streamer.errors import InterruptedByUserError, StreamerError, reason_of


class _ShownError(click.ClickException):
    """Shows a StreamerError as click shows its own errors: one line, no traceback."""

    def __init__(self, error: StreamerError) -> None:
        super().__init__(str(error))
        vars(self)["exit_code"] = (
            error.exit_code
        )  # click declares it on the class and reads it from the instance


class _Group(click.Group):
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
            raise _ShownError(
                StreamerError(f"{reason_of(error)}; the output cannot be written: write it elsewhere")
            ) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="streamer")
def main() -> None:
    """Label live audio in real time, and split voice from music."""


for command in (analyze, bench, devices, keys, listen, models, reload, separate, subscribe, teach):
    main.add_command(command)
