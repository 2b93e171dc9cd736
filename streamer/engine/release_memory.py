"""Release memory that was only needed to start: pages of libraries, and freed heap."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import NamedTuple

SMAPS = Path("/proc/self/smaps")
"""File in which Linux lists the mappings of this process, and how much of each was changed."""

_MADV_DONTNEED = 4
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ +(\S.*)?$")
_LIBRARY = re.compile(r".*\.so(\.[0-9.]+)?$")
_NEVER_CHANGED = {"Anonymous:", "Swap:"}
"""Counters of pages that the process has a copy of its own of, in memory and swapped out; both are 0 if nothing in the
mapping was ever changed."""


class MemoryMapping(NamedTuple):
    """A part of a library that is mapped into memory.

    Attributes
    ----------
    start, stop : int
        Addresses.
    path : str
        The library's file.
    """

    start: int
    stop: int
    path: str


def unchanged_mappings() -> frozenset[MemoryMapping]:
    """Return the parts of memory that hold libraries unchanged, as they are in their files, and cannot be written.

    The set is empty on systems that do not list them.
    """
    try:
        text = SMAPS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return frozenset()
    mappings: dict[MemoryMapping, set[str]] = {}
    mapping = None
    for line in text.splitlines():
        if begins := _MAPPING.match(line):
            start, stop, access, path = begins.groups()
            library = path is not None and "w" not in access and _LIBRARY.match(path)
            mapping = MemoryMapping(int(start, 16), int(stop, 16), path) if library else None
        elif mapping and (words := line.split())[0] in _NEVER_CHANGED and words[1] == "0":
            mappings.setdefault(mapping, set()).add(words[0])
    return frozenset(mapping for mapping, zero in mappings.items() if zero == _NEVER_CHANGED)


def release(before: frozenset[MemoryMapping]) -> int:
    """Drop the pages of libraries from this process's memory; the system reads those that are used again.

    To import and to compile runs much code that is not needed again. Freed heap is returned to the system too.

    Parameters
    ----------
    before : frozenset of MemoryMapping
        An earlier result of `unchanged_mappings`. Only mappings that are still the same are dropped: others may
        belong to a library that another thread is loading.

    Returns
    -------
    int
        Bytes of address space whose pages were dropped.
    """
    if not before:
        return 0
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if hasattr(libc, "malloc_trim"):  # only glibc has it
        libc.malloc_trim(0)
    sizes = [(mapping.start, mapping.stop - mapping.start) for mapping in before & unchanged_mappings()]
    return sum(size for start, size in sizes if libc.madvise(start, size, _MADV_DONTNEED) == 0)
