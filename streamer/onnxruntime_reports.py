"""Keep ONNX Runtime from reporting to its maker."""

from __future__ import annotations

import os

SWITCH = "ORT_DISABLE_TELEMETRY"
"""Environment variable that ONNX Runtime reads when it is imported."""


def turn_off() -> None:
    """Let ONNX Runtime report nothing in this process and its children, unless the user has set `SWITCH` already.

    From 1.29 on, its import alone writes a device number and a database into the user's cache folder and starts a
    thread that reports to its maker (its Privacy.md; ``findings/onnxruntime_files_of_an_import.sh``), unless it is told
    not to before. A program that listens to a room must report to nobody.
    """
    os.environ.setdefault(SWITCH, "1")
