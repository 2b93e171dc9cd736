"""Keep the descriptors 0, 1 and 2 for what they stand for."""

from __future__ import annotations

import os


def fill_closed() -> None:
    """Open a null device in place of each standard descriptor that is closed.

    The next file, socket or library would get its number otherwise, and be read as standard input or written to as
    standard output. Call it before anything else is opened. What stands in for standard input cannot be read, so that
    a reader can tell it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_WRONLY)  # takes the lowest number that is free, which is this one
