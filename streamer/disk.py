"""Whether there is room on a disk."""

from __future__ import annotations

import shutil
from pathlib import Path

FULL_BYTES = 1 << 24
"""A disk with less room is full: what some dozens of streams are writing can still be finished. A FLAC that a disk cuts
short does not say its length, and few programs read it."""
FULL = f"less than {FULL_BYTES / 1e6:.0f} MB are free; make room"


def is_full(folder: Path) -> bool:
    """Whether the disk that a folder lies on, or would lie on, is full; no where that cannot be told."""
    try:
        there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
        usage = shutil.disk_usage(there)
    except OSError:
        return False
    return usage.total > 0 and usage.free < FULL_BYTES  # what has no size tells nothing
