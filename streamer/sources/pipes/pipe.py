"""Read a pipe without waiting, and decide when to read it again."""

from __future__ import annotations

import fcntl
import logging
import os
import select
import stat
import struct
import termios

from streamer.sources.source import POLL_S

logger = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
"""Largest size of a pipe that Linux allows without privileges (/proc/sys/fs/pipe-max-size)."""

WRITTEN_BYTES = 1 << 16
"""Most that programs write into a pipe at once, unless a quarter of the pipe is shorter."""

USUAL_PIPE_BYTES = 1 << 14
"""Smallest size of a pipe on systems that do not tell it."""

LATE_POLL_S = 0.01
"""Interval between two looks at a live pipe whose next sound is overdue."""

LIVE_RATIO = 2.0
"""Largest ratio of a read's length to the time that it took to arrive, for the writer to count as live."""


class PipeReader:
    """Reads whole items from a pipe, a terminal or a file, without waiting.

    The kernel buffers the data: a writer that is too fast waits, and nothing is lost. The descriptor is neither
    changed nor closed: `O_NONBLOCK` would also apply to every other program that shares the standard input.

    Parameters
    ----------
    descriptor : int
        A descriptor open for reading.
    item_bytes : int
        Length of an item, which for sound is a frame; 1 or more.
    head : bytes
        Bytes that were already read from the descriptor; `read` returns them first.
    """

    def __init__(self, descriptor: int, item_bytes: int, head: bytes = b"") -> None:
        self._descriptor = descriptor
        self._item_bytes = item_bytes
        self._begun = head
        self._ended = False
        # select() would fail with a descriptor of 1,024 or more.
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    @property
    def ended(self) -> bool:
        """Whether the writer has closed its end and all whole items were read."""
        return self._ended and len(self._begun) < self._item_bytes

    @property
    def begun_bytes(self) -> int:
        """Number of bytes of the next, incomplete item that have come; after the end, of the last item."""
        return len(self._begun)

    @property
    def hung_up(self) -> bool:
        """Whether the writer has closed its end, with data left to read perhaps."""
        return any(event & select.POLLHUP for _, event in self._poll.poll(0))

    def read(self, max_items: int) -> bytes:
        """Return the whole items that have come, at most `max_items`; empty if there is none."""
        wanted = max_items * self._item_bytes - len(self._begun)
        if not self._ended and wanted > 0 and self.wait(0.0):
            fresh = os.read(self._descriptor, wanted)
            self._ended = not fresh
            self._begun += fresh
        whole = min(max_items, len(self._begun) // self._item_bytes) * self._item_bytes
        data, self._begun = self._begun[:whole], self._begun[whole:]
        return data

    def wait(self, timeout_s: float) -> bool:
        """Wait at most `timeout_s` seconds for bytes, the end or an error; return whether one of them has come."""
        return bool(self._poll.poll(1_000 * timeout_s))

    def waiting_items(self) -> int:
        """Return the number of items in the kernel's buffer; 0 for files and devices without one."""
        if self._ended or stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            return 0
        try:
            answer = fcntl.ioctl(self._descriptor, termios.FIONREAD, bytes(4))
        except OSError:  # ENOTTY: the device has no buffer, like /dev/zero
            return 0
        waiting_bytes: int = struct.unpack("i", answer)[0]
        return (waiting_bytes + len(self._begun)) // self._item_bytes


class PipePacing:
    """Decides how long to wait before the next read of a pipe.

    A pipe does not tell whether its writer is live. Sound that comes faster than it lasts is taken to come from
    storage: its writer waits for the reader, so it is read at once. Otherwise sound may gather first.

    Parameters
    ----------
    rate_hz : int
        Sample rate of the frames.
    now : float
        Current time in seconds, on any clock.
    """

    def __init__(self, rate_hz: int, now: float) -> None:
        self._rate_hz = rate_hz
        self._received_at = now
        self._is_live = True

    def note_read(self, frames: int, now: float) -> None:
        """Note that a read at time `now` returned `frames` frames."""
        self._is_live = frames <= LIVE_RATIO * self._rate_hz * (now - self._received_at)
        self._received_at = now

    def wait_s(self, now: float, turn_s: float) -> float:
        """Return how long to wait before the next read, in seconds; `turn_s` as in `Source.wait_s`."""
        return max(LATE_POLL_S, self._received_at + turn_s - now) if self._is_live else POLL_S


def enlarge(descriptor: int) -> int:
    """Enlarge a pipe's buffer to `PIPE_BYTES` if possible, so that its writer does not wait for a short pause.

    Only Linux can do this. Where it refuses, because a user's pipes are limited in total, the pipe keeps its size.

    Returns
    -------
    int
        Length of the buffer in bytes; where the system does not tell, the least that is usual.
    """
    if not hasattr(fcntl, "F_SETPIPE_SZ"):
        return USUAL_PIPE_BYTES
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError as error:
        logger.debug("the pipe keeps its length: %s", error)
    return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)


def full_bytes(pipe_bytes: int) -> int:
    """Return the length of what waits in a pipe of `pipe_bytes` from which its writer may wait for the reader.

    A pipe of Linux consists of pages, and what is written begins a new one: half of each may stay empty.
    """
    return pipe_bytes // 2 - min(WRITTEN_BYTES, pipe_bytes // 4)
