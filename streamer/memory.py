"""Memory that is only needed to start."""

from __future__ import annotations

import ctypes
import re
import sys
from pathlib import Path
from typing import NamedTuple

_MADV_DONTNEED = 4
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ +(\S.*)?$")


class Mapping(NamedTuple):
    """A piece of a library that lies in memory as it does in its file.

    Attributes
    ----------
    start, stop : int
        Addresses.
    path : str
    """

    start: int
    stop: int
    path: str


def unwritten() -> frozenset[Mapping]:
    """What is mapped of libraries, cannot be written to and never was. On Linux; elsewhere nothing."""
    if sys.platform != "linux":
        return frozenset()
    found, mapping = set(), None
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        if begins := _MAPPING.match(line):
            start, stop, access, path = begins.groups()
            library = path is not None and ".so" in path and "w" not in access
            mapping = Mapping(int(start, 16), int(stop, 16), path) if library else None
        elif mapping and line.split() == ["Anonymous:", "0", "kB"]:  # no page of it was copied, to be changed
            found.add(mapping)
    return frozenset(found)


def release(before: frozenset[Mapping]) -> int:
    """Unmap the pages of libraries; what is used again comes back by itself, out of the system's cache of the file.

    Importing and compiling run through much that listening never does. Freed heap goes back to the system too.

    Parameters
    ----------
    before : frozenset of Mapping
        `unwritten` of a while ago: what has changed since may be a library that another thread is loading.

    Returns
    -------
    int
        Bytes of address space let go.
    """
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if hasattr(libc, "malloc_trim"):  # glibc's
        libc.malloc_trim(0)
    sizes = [(mapping.start, mapping.stop - mapping.start) for mapping in before & unwritten()]
    return sum(size for start, size in sizes if libc.madvise(start, size, _MADV_DONTNEED) == 0)
