"""Reading a pipe without waiting for it."""

from __future__ import annotations

import fcntl
import logging
import os
import select
import stat
import struct
import sys
import termios

logger = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
"""What a pipe may be enlarged to on Linux without privileges (/proc/sys/fs/pipe-max-size)."""


class PipeReader:
    """Takes whole items out of a pipe, a terminal or a file, and never waits.

    The kernel's buffer is the buffer: a writer that is too fast waits, nothing is lost. The descriptor stays
    as it is and is not closed: `O_NONBLOCK` would be shared with every program that has the same standard
    input.

    Parameters
    ----------
    descriptor : int
        Open for reading.
    item_bytes : int
        Length of an item (for sound a frame); 1 or more.
    """

    def __init__(self, descriptor: int, item_bytes: int) -> None:
        self._descriptor = descriptor
        self._item_bytes = item_bytes
        self._begun = b""
        self._ended = False
        # Not select(), which takes no descriptor of 1,024 or more.
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    @property
    def ended(self) -> bool:
        """Whether the writer has closed its end and everything was read."""
        return self._ended

    @property
    def begun_bytes(self) -> int:
        """How much of the next item has come; after the end, what was left over."""
        return len(self._begun)

    def read(self, max_items: int) -> bytes:
        """Take the whole items that are there, at most `max_items`; empty if there is none."""
        if self._ended or not self.wait(0.0):
            return b""
        fresh = os.read(self._descriptor, max_items * self._item_bytes - len(self._begun))
        self._ended = not fresh
        data = self._begun + fresh
        whole = len(data) - len(data) % self._item_bytes
        self._begun = data[whole:]
        return data[:whole]

    def wait(self, timeout_s: float) -> bool:
        """Whether a read would tell something, bytes or the end or a fault, within `timeout_s`."""
        return bool(self._poll.poll(1_000 * timeout_s))

    def waiting_items(self) -> int:
        """How many items the kernel's buffer holds; 0 for files and devices without one."""
        if self._ended or stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            return 0
        try:
            told = fcntl.ioctl(self._descriptor, termios.FIONREAD, bytes(4))
        except OSError:  # ENOTTY: makes its bytes when it is read, as /dev/zero does
            return 0
        waiting_bytes: int = struct.unpack("i", told)[0]
        return (waiting_bytes + len(self._begun)) // self._item_bytes


def enlarge(descriptor: int) -> None:
    """Ask for a pipe of `PIPE_BYTES`, so that its writer need not wait for a short pause of the reader.

    Only Linux can; where it refuses (a user's pipes are limited in total) the pipe keeps its length.
    """
    if sys.platform == "linux":
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError as error:
            logger.debug("the pipe keeps its length: %s", error)
