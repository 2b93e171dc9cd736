"""The command ``streamer``, which is ``python -m streamer`` too: what it imports, Ctrl-C may interrupt."""

from __future__ import annotations

import sys

from streamer.errors import InterruptedByUserError


def main() -> None:
    """Run the command line."""
    try:
        from streamer.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write("Error: interrupted\n")
        sys.exit(InterruptedByUserError.exit_code)
    command(prog_name="streamer")


if __name__ == "__main__":
    main()
