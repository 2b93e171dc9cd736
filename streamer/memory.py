"""Memory that is only needed to start."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

COMPILER = "libllvmlite"
"""The library that compiles and loads numba's code; idle once everything has run."""

_MADV_DONTNEED = 4


def release_compiler() -> int:
    """Unmap the compiler's code, which listening does not run any more; it comes back by itself if called.

    Only executable pages are let go: they are the file's own, never written to. On Linux; elsewhere nothing.

    Returns
    -------
    int
        Bytes of address space let go.
    """
    if sys.platform != "linux":
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    released = 0
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        span, access, *_, name = line.split(maxsplit=5)
        if COMPILER in name and access == "r-xp":
            start, stop = (int(edge, 16) for edge in span.split("-"))
            if madvise(start, stop - start, _MADV_DONTNEED) == 0:
                released += stop - start
    return released
