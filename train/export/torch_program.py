"""Export of a released model to a torch program, ``model.pt2``, which torch can run on a GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from streamer.errors import ModelError
from streamer.inference.onnx import OnnxModel
from streamer.inference.torch_model import PROGRAM
from train.export.onnx_graph import OnnxGraph
from train.export.to_onnx import TOLERANCE


def write_program(folder: Path) -> Path:
    """Write ``model.pt2`` beside ``model.onnx``, and return its path.

    It is a torch program of one step, ``(x, *state) -> (y, *state)``, for any number of streams. It contains the
    SHA-256 of the graph, and its outputs are compared with those of the graph.

    Parameters
    ----------
    folder : Path
        Folder of a released model.

    Returns
    -------
    Path
        Path of ``model.pt2``.

    Raises
    ------
    ModelError
        If the folder is incomplete, or torch and ONNX Runtime disagree.
    TrainingError
        If the graph has an operation that `train.export.to_onnx` does not make.
    """
    model = OnnxModel(folder)
    inputs = _inputs(model, 3)
    streams = torch.export.Dim("streams")
    program = torch.export.export(
        OnnxGraph(folder / "model.onnx").eval(),
        inputs,
        dynamic_shapes=(tuple({0: streams} for _ in inputs),),
    )
    for count in (1, 2, 5):  # other numbers of streams than the one that was traced
        _check(program.module(), model, _inputs(model, count))
    path = folder / PROGRAM
    torch.export.save(program, path, extra_files={"sha256": model.manifest.sha256})
    return path


def _inputs(model: OnnxModel, streams: int) -> tuple[Tensor, ...]:
    """Return random frames and states of one step."""
    manifest, rng = model.manifest, np.random.default_rng(streams)
    shapes = [(manifest.hop_frames, manifest.input_size), *(state.shape for state in manifest.states)]
    return tuple(
        torch.from_numpy(rng.normal(0, 0.5, (streams, *shape)).astype(np.float32)) for shape in shapes
    )


def _check(program: torch.nn.Module, model: OnnxModel, inputs: tuple[Tensor, ...]) -> None:
    x, *state = (part.numpy() for part in inputs)
    y, after = model.run(x, tuple(state))
    found = [part.numpy() for part in program(*inputs)]
    for wanted, given in zip((y, *after), found, strict=True):
        error = float(np.abs(wanted - given).max()) / max(1.0, float(np.abs(wanted).max()))
        if not error <= TOLERANCE:
            raise ModelError(
                f"torch computes {model.manifest.name} with an error of {error:.1e}; expected {TOLERANCE:.0e} at most: "
                "report it with the model's folder"
            )
