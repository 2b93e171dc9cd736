"""Export of a torch model to ``model.onnx`` with explicit state, and its manifest; unequal outputs are refused."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import logging
import shutil
import warnings
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from onnxscript.optimizer import optimize
from torch import Tensor, nn

from models.layers import StreamingModel, TorchState, fold_batch_norm
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.stft import StftConfig
from streamer.errors import ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import StateSpec
from streamer.inference.onnx import OnnxModel
from train.export.onnx_operations import translations
from train.loop.run import current_commit

TOLERANCE = 1e-4
"""Largest difference allowed between the outputs of torch for a whole sound, of torch step by step and of ONNX step by
step: of a probability, or of a number of an embedding relative to the largest one."""
OPSET = 18
"""ONNX's operator set. From 19 on ONNX Runtime averages over steps by code that takes several times as long."""
FOLDED_BYTES = 2**26
"""Size in bytes up to which constants are computed at the export; no layer's weights are larger."""


class _Graph(nn.Module):
    """Model with the graph's signature, ``x, state.0, ... -> y, next_state.0, ...``, with the released ``y``."""

    def __init__(self, model: nn.Module, manifest: Manifest) -> None:
        super().__init__()
        self.model = model
        self.manifest = manifest

    def forward(self, x: Tensor, *state: Tensor) -> TorchState:
        y, after = self.model(x, state)
        return released_output(y, self.manifest), *after


def released_output(y: Tensor, manifest: Manifest) -> Tensor:
    """Return the output of a released model, given the output of the torch model.

    Parameters
    ----------
    y : Tensor, shape (batch, steps, output_size)
        Embeddings of an ear, masks and a logit of a separation, or logits of any other model.
    manifest : Manifest
        Manifest, whose labels, `exclusive`, `temperature` and `bias` are used.

    Returns
    -------
    Tensor, shape of `y`
        Embeddings and masks unchanged; logits as probabilities, by softmax if the labels exclude each other, else by
        sigmoid.
    """
    if not manifest.labels:
        return y
    logits = y / manifest.temperature + manifest.bias
    scores = torch.softmax(logits, dim=-1) if manifest.exclusive else torch.sigmoid(logits)
    masks = y.shape[2] - len(manifest.labels)
    # A choice between numbers is fewer operations than to cut, change and join them.
    return torch.where(torch.arange(y.shape[2], device=y.device) >= masks, scores, y) if masks else scores


def describe(
    model: StreamingModel,
    task: str,
    labels: tuple[str, ...],
    front_end: LogMelConfig | StftConfig,
    warm_up_frames: int,
    embedding_size: int | None = None,
) -> Manifest:
    """Return the manifest of a model before its export; `dataclasses.replace` adds what is specific to the model.

    Parameters
    ----------
    model : StreamingModel
        Model, whose hop and latency are taken.
    task : str
        Name of the task, which becomes the name of the model too.
    labels, front_end, warm_up_frames, embedding_size
        Fields of `Manifest`.
    """
    return Manifest(
        name=task,
        task=task,
        labels=labels,
        front_end=front_end,
        hop_frames=model.hop_frames,
        latency_frames=model.latency_frames,
        warm_up_frames=warm_up_frames,
        states=(),
        sha256="",
        commit=current_commit(),
        embedding_size=embedding_size,
    )


def export(model: StreamingModel, manifest: Manifest, folder: Path) -> Manifest:
    """Write the graph and manifest of a model into a folder, if the graph gives the same outputs; return the manifest.

    Parameters
    ----------
    model : StreamingModel
        Model that returns logits, or embeddings if `manifest` is an ear's; it is not changed.
    manifest : Manifest
        Manifest from `describe`, complete but for ``states`` and ``sha256``, which come from the model and the file.
    folder : Path
        Folder for ``model.onnx`` and ``manifest.json``; if the export is refused it is left unchanged.

    Returns
    -------
    Manifest
        Manifest as written, with ``states`` and ``sha256``.

    Raises
    ------
    ModelError
        If torch on a whole sound, torch step by step and ONNX step by step differ by more than `TOLERANCE`.
    """
    with TemporaryDirectory() as name:
        trial = Path(name)
        write_graph(model, manifest, trial / "model.onnx")
        states = tuple(StateSpec(shape) for shape in model.state_shapes)
        digest = hashlib.sha256((trial / "model.onnx").read_bytes()).hexdigest()
        manifest = dataclasses.replace(manifest, states=states, sha256=digest)
        write_manifest(trial, manifest)
        check_parity(model, trial)
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("model.onnx", "manifest.json"):
            shutil.copyfile(trial / file, folder / file)
    return manifest


def write_graph(model: StreamingModel, manifest: Manifest, path: Path) -> None:
    """Write a model as one ONNX file for any number of streams and steps; batch norms are merged into convolutions."""
    folded = copy.deepcopy(model)
    fold_batch_norm(folded)
    # Two streams and two steps, because torch.export takes a size of 1 for a constant.
    x = torch.zeros(2, 2 * manifest.hop_frames, manifest.input_size)
    state = folded.init(x)
    batch, steps = torch.export.Dim("batch"), torch.export.Dim("steps")
    numbers = range(len(state))
    state_shapes = (tuple({0: batch} for _ in numbers),) if state else ()
    logging.getLogger("torch.onnx").setLevel(
        logging.ERROR
    )  # it would warn of each optional library that is absent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter itself uses deprecated functions
        torch.onnx.export(
            _Graph(folded, manifest).eval(),
            (x, *state),
            path,
            input_names=["x", *(f"state.{n}" for n in numbers)],
            output_names=["y", *(f"next_state.{n}" for n in numbers)],
            dynamic_shapes=({0: batch, 1: manifest.hop_frames * steps}, *state_shapes),
            opset_version=OPSET,
            custom_translation_table=dict(translations()),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    _tidy(path)


def _tidy(path: Path) -> None:
    """Fold constants, and remove the exporter's notes.

    The notes are half of the file, and contain paths of the machine that the export ran on.
    """
    content = optimize(onnx.load(path), input_size_limit=FOLDED_BYTES, output_size_limit=FOLDED_BYTES)
    for noted in (content.graph, *content.graph.node, *content.graph.value_info, *content.graph.initializer):
        del noted.metadata_props[:]
        noted.doc_string = ""
    onnx.save(content, path)


def check_parity(model: StreamingModel, folder: Path, seconds: float = 6.0) -> float:
    """Return the largest difference of a torch model from a released folder on random frames, for two streams at once.

    Returns
    -------
    float
        Largest difference: of a probability, or of a number of an embedding relative to the largest one.

    Raises
    ------
    ModelError
        If the difference is above `TOLERANCE`.
    """
    model = copy.deepcopy(model).eval()
    released = OnnxModel(folder)
    hop, size = released.manifest.hop_frames, released.manifest.input_size
    steps = round(1_000 * seconds / released.manifest.frame_ms) // hop
    rng = np.random.default_rng(0)
    level = rng.normal(-2.0, 2.0, (2, steps, 1, 1)).repeat(hop, axis=2)  # loud and soft passages
    x = (level.reshape(2, steps * hop, 1) + rng.normal(0.0, 1.0, (2, steps * hop, size))).astype(np.float32)
    # The cuts give single steps first, then several steps at once.
    cuts = [0, hop, 2 * hop, *range(7 * hop, steps * hop, 5 * hop), steps * hop]
    with torch.no_grad():
        whole = released_output(model(torch.from_numpy(x))[0], released.manifest).numpy()
        stepped = released_output(_torch_stepped(model, x, cuts), released.manifest).numpy()
    given = _onnx_stepped(released, x, cuts)
    if whole.shape != stepped.shape or whole.shape != given.shape:
        raise ModelError(
            f"export of {released.manifest.name} gives shapes {whole.shape} (torch whole), {stepped.shape} "
            f"(torch stepped) and {given.shape} (ONNX stepped); expected equal ones: mend the model's forward()"
        )
    scale = max(1.0, float(np.abs(whole).max()))
    torch_gap, onnx_gap = (float(np.abs(whole - other).max()) / scale for other in (stepped, given))
    if not max(torch_gap, onnx_gap) <= TOLERANCE:  # false for NaN
        raise ModelError(
            f"export of {released.manifest.name} differs from torch whole by {torch_gap:.2g} (torch stepped) "
            f"and {onnx_gap:.2g} (ONNX stepped); expected at most {TOLERANCE:g}: mend the model's state"
        )
    return max(torch_gap, onnx_gap)


def _torch_stepped(model: StreamingModel, x: Array, cuts: list[int]) -> Tensor:
    state, out = None, []
    for first, stop in pairwise(cuts):
        y, state = model(torch.from_numpy(x[:, first:stop]), state)
        out.append(y)
    return torch.cat(out, dim=1)


def _onnx_stepped(released: OnnxModel, x: Array, cuts: list[int]) -> Array:
    state, out = released.init(len(x)), []
    for first, stop in pairwise(cuts):
        y, state = released.step(x[:, first:stop], state)
        out.append(y)
    return np.concatenate(out, axis=1)
