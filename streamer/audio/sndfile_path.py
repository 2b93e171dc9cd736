"""Name a file as libsndfile opens it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def sndfile_path(path: Path) -> str | bytes:
    """Return the name under which soundfile opens a file, whatever bytes it has.

    soundfile 0.14 encodes text strictly, and so refuses a name that is no UTF-8, such as one of a time before it. On
    Windows names are text.
    """
    return str(path) if sys.platform == "win32" else os.fsencode(path)
