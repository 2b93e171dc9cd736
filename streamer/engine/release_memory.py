"""Memory that is only needed to start."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import NamedTuple

SMAPS = Path("/proc/self/smaps")
"""What is mapped, and what became of it; on Linux, where /proc is mounted."""

_MADV_DONTNEED = 4
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ +(\S.*)?$")
_LIBRARY = re.compile(r".*\.so(\.[0-9.]+)?$")
_NEVER_CHANGED = {"Anonymous:", "Swap:"}
"""Pages of which the process has a copy of its own, in memory and swapped out: none, if nothing was ever changed."""


class MemoryMapping(NamedTuple):
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


def unchanged() -> frozenset[MemoryMapping]:
    """What is mapped of libraries, cannot be written to, and is as in their files. Nothing where that is not told."""
    try:
        told = SMAPS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return frozenset()
    mappings: dict[MemoryMapping, set[str]] = {}
    mapping = None
    for line in told.splitlines():
        if begins := _MAPPING.match(line):
            start, stop, access, path = begins.groups()
            library = path is not None and "w" not in access and _LIBRARY.match(path)
            mapping = MemoryMapping(int(start, 16), int(stop, 16), path) if library else None
        elif mapping and (words := line.split())[0] in _NEVER_CHANGED and words[1] == "0":
            mappings.setdefault(mapping, set()).add(words[0])
    return frozenset(mapping for mapping, none in mappings.items() if none == _NEVER_CHANGED)


def release(before: frozenset[MemoryMapping]) -> int:
    """Unmap the pages of libraries; what is used again comes back by itself, out of the system's cache of the file.

    Importing and compiling run through much that listening never does. Freed heap goes back to the system too.

    Parameters
    ----------
    before : frozenset of MemoryMapping
        `unchanged` of a while ago: what has changed since may be a library that another thread is loading.

    Returns
    -------
    int
        Bytes of address space let go.
    """
    if not before:
        return 0
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if hasattr(libc, "malloc_trim"):  # glibc's
        libc.malloc_trim(0)
    sizes = [(mapping.start, mapping.stop - mapping.start) for mapping in before & unchanged()]
    return sum(size for start, size in sizes if libc.madvise(start, size, _MADV_DONTNEED) == 0)
