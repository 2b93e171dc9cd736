"""The command ``streamer``, which is ``python -m streamer`` too."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Run the command line."""
    # A KeyboardInterrupt in an import may be lost or crash: libraries catch it, or are left half loaded.
    is_interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_interruptible:
        signal.signal(
            signal.SIGINT, _leave_at_once
        )  # before all other imports: even the first may be interrupted
    from streamer.standard_descriptors import fill_closed

    fill_closed()  # before anything is opened to stay: it would become standard input
    from streamer.cli.main import main as command

    if is_interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command(prog_name="streamer")


def _leave_at_once(*_: object) -> None:
    """Leave as `InterruptedByUserError` does, without an import."""
    os.write(2, b"Error: interrupted\n")
    os._exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
