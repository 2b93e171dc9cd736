"""The command ``streamer``, which is ``python -m streamer`` too."""

from __future__ import annotations

import os
import signal

from streamer.errors import InterruptedByUserError
from streamer.standard_descriptors import fill_closed


def main() -> None:
    """Run the command line."""
    fill_closed()  # first: whatever opens a file next would become standard input
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # A KeyboardInterrupt in an import may be lost or crash: libraries catch it, or are left half loaded.
        signal.signal(signal.SIGINT, _leave_at_once)
        from streamer.cli.main import main as command

        signal.signal(signal.SIGINT, signal.default_int_handler)
    else:
        from streamer.cli.main import main as command
    command(prog_name="streamer")


def _leave_at_once(*_: object) -> None:
    os.write(2, b"Error: interrupted\n")
    os._exit(InterruptedByUserError.exit_code)


if __name__ == "__main__":
    main()
