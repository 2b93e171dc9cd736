"""``python -m train model-memory FOLDER``: measure the memory that a released model takes."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import click
import numpy as np
import psutil

from streamer.inference.onnx import OnnxModel


def measure_growth(folder: Path, steps: int = 20) -> int:
    """Return by how many bytes this process's resident memory grows when a model is loaded and stepped."""
    import_module("onnxruntime")  # before measuring, so that its own size does not count
    process = psutil.Process()
    before = process.memory_info().rss
    model = OnnxModel(folder)
    state = model.init()
    frames = np.zeros((1, model.manifest.hop_frames, model.manifest.input_size), np.float32)
    for _ in range(steps):
        _, state = model.step(frames, state)
    return int(process.memory_info().rss - before)


@click.command("model-memory")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def model_memory_command(folder: Path) -> None:
    """Print as JSON by how many bytes this process's memory grows when it loads and steps the model in FOLDER."""
    click.echo(json.dumps({"bytes": measure_growth(folder)}))
