"""``python -m train.evaluate.model_memory FOLDER``: what memory a released model takes.

It prints by how much the process grows when it loads and runs the model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime  # noqa: F401 - here, so that its own size is not the model's
import psutil

from streamer.inference.onnx import OnnxModel


def grown_bytes(folder: Path, steps: int = 20) -> int:
    """Growth of resident memory, in bytes, by loading and stepping."""
    process = psutil.Process()
    before = process.memory_info().rss
    model = OnnxModel(folder)
    state = model.init()
    frames = np.zeros((1, model.manifest.hop_frames, model.manifest.input_size), np.float32)
    for _ in range(steps):
        _, state = model.step(frames, state)
    return int(process.memory_info().rss - before)


if __name__ == "__main__":
    print(json.dumps({"bytes": grown_bytes(Path(sys.argv[1]))}))
