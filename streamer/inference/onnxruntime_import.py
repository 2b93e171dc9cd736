"""Import ONNX Runtime such that it reports nothing to its maker: everything that uses it imports it here."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def import_onnxruntime(part: str = "") -> Any:
    """Return ONNX Runtime, or a module in it.

    From 1.29 on, its import alone writes a device number and a database into the user's cache folder and starts a
    thread that reports to its maker (its Privacy.md; ``findings/onnxruntime_files_of_an_import.sh``), unless it is told
    not to before. A program that listens to a room must report to nobody.

    Parameters
    ----------
    part : str
        Name of a module in it, such as ``quantization``; empty returns ONNX Runtime itself.

    Returns
    -------
    module
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return import_module(f"onnxruntime.{part}" if part else "onnxruntime")
