"""Whether there is room on a disk."""

from __future__ import annotations

import shutil
from pathlib import Path

FULL_BYTES = 1 << 24
"""A disk with less room is full: what is being written can still be finished, and whatever else writes there has some
left. A FLAC that a disk cuts short does not say its length, and few programs read it."""


def is_full(folder: Path) -> bool:
    """Whether the disk that a folder lies on, or would lie on, is full."""
    there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    return shutil.disk_usage(there).free < FULL_BYTES
