"""Whether there is room on a disk."""

from __future__ import annotations

import shutil
from pathlib import Path

FULL_BYTES = 1 << 24
"""A disk with less room is full: what is being written can still be finished, for it is looked at once a second, in
which twenty streams write no more (two stems each, stereo, 48 kHz, float WAV). A FLAC that a disk cuts short does not
say its length, and libsndfile refuses it."""
FULL = f"less than {FULL_BYTES / 1e6:.0f} MB are free"


def is_full(folder: Path) -> bool:
    """Whether the disk that a folder lies on, or would lie on, is full; no where that cannot be told."""
    try:
        there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
        usage = shutil.disk_usage(there)
    except OSError:
        return False
    return usage.total > 0 and usage.free < FULL_BYTES  # what has no size tells nothing
