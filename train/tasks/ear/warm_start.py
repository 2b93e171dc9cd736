"""Start the training of an ear from the weights of a released one, which its graph holds."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from models.ear import Ear
from models.layers import BandJoin, CausalConv2d, fold_batch_norm
from streamer.errors import ConfigError
from streamer.inference.model_folders import read_manifest

if TYPE_CHECKING:
    from train.tasks.ear.config import EarRunConfig

PREFIX = "model."
"""Prefix of the names of a network's weights in its graph."""


def check_warm_start(config: EarRunConfig) -> None:
    """Refuse to start a run from a released ear that is unlike it, or that learnt from what the run holds out.

    Parameters
    ----------
    config : EarRunConfig
        Configuration of the new run, whose `begin` is not empty.

    Raises
    ------
    ModelError
        If ``config.begin`` is not the folder of a released model.
    ConfigError
        If the model there is no ear, or learnt from a fold that the new run holds out.
    """
    manifest = read_manifest(Path(config.begin))
    if manifest.task != "ear":
        raise ConfigError(
            f"begin is {config.begin!r}, a model of the task {manifest.task}; expected the folder of a released ear"
        )
    before = manifest.results.get("held out", {})
    unheard = {before.get("fold"), before.get("validation_fold")}
    if heard := {config.fold, config.validation_fold} - unheard - {0}:
        raise ConfigError(
            f"begin is {config.begin!r}, which learnt from fold {min(heard)}; expected an ear that holds out what the "
            "run holds out: choose the same fold and validation_fold, or begin at random"
        )


def begin_from(ear: Ear, folder: Path, frames: Tensor) -> None:
    """Give an ear the weights of a released one, so that it computes the same embeddings.

    A released graph has its batch norms merged into the convolutions. Each batch norm is made anew here such that, on
    `frames`, it standardises what the convolution gives and then scales it back, so that training can go on.

    Parameters
    ----------
    ear : Ear
        Ear of the same sizes as the released one; its weights and its normalisation are replaced.
    folder : Path
        Folder of the released ear.
    frames : Tensor, shape (batch, frames, mel_bands)
        Log-mel frames of training examples.

    Raises
    ------
    ConfigError
        If the released ear has other sizes.
    """
    folded = copy.deepcopy(ear)
    fold_batch_norm(folded)
    found = _weights_of(onnx.load(folder / "model.onnx").graph, folded)
    wanted = folded.state_dict()
    if wrong := [name for name, value in wanted.items() if found.get(name, value[:0]).shape != value.shape]:
        raise ConfigError(
            f"begin is {str(folder)!r}, whose {wrong[0]} is not of the shape {tuple(wanted[wrong[0]].shape)}; expected "
            "an ear with the sizes of the run: give the run those of the released ear under model, or begin at random"
        )
    folded.load_state_dict(found)
    outputs = _outputs_of_convolutions(folded, frames)
    ear.mean.copy_(folded.mean)
    ear.scale.copy_(folded.scale)
    layers = dict(folded.named_modules())
    for name, layer in ear.named_modules():
        if isinstance(layer, CausalConv2d) and isinstance(layer.norm, nn.BatchNorm2d):
            released = layers[name]
            assert isinstance(released, CausalConv2d)
            _unfold(layer, released.conv, *outputs[name])


def _weights_of(graph: onnx.GraphProto, folded: Ear) -> dict[str, Tensor]:
    """Return the weights of a released ear by the names that they have in torch."""
    arrays = {
        value.name: torch.from_numpy(numpy_helper.to_array(value).copy()) for value in graph.initializer
    }
    weights = {name.removeprefix(PREFIX): value for name, value in arrays.items() if name.startswith(PREFIX)}
    for name, layer in folded.named_modules():
        if isinstance(layer, BandJoin) and f"{name}.conv.weight" not in weights:
            joining = _joining_weights(graph, arrays, f"{PREFIX}{name}.conv.bias", layer.bands)
            if joining is not None:
                weights[f"{name}.conv.weight"] = joining
    return weights


def _joining_weights(
    graph: onnx.GraphProto, arrays: dict[str, Tensor], bias: str, bands: int
) -> Tensor | None:
    """Return the weights of the `BandJoin` that has a bias of this name; None if the graph has none.

    The exporter names them anew, since the forward pass reshapes them.
    """
    makers = {output: node for node in graph.node for output in node.output}
    adding = next((node for node in graph.node if bias in node.input), None)
    if adding is None:
        return None
    if adding.op_type == "Conv":
        weight = arrays[adding.input[1]]
        return weight.reshape(len(weight), -1, 1, 1)
    product = next(makers[name] for name in adding.input if name in makers)
    matrix = arrays[product.input[1]].T  # its columns have the bands outermost
    return matrix.reshape(len(matrix), bands, 1, -1).transpose(1, 3).reshape(len(matrix), -1, 1, 1)


def _outputs_of_convolutions(folded: Ear, frames: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Return mean and variance of each channel of each convolution's output, by the name of its layer."""
    outputs: dict[str, tuple[Tensor, Tensor]] = {}
    hooks = []
    for name, layer in folded.named_modules():
        if isinstance(layer, CausalConv2d):

            def keep(_: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
                outputs[name] = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3))

            hooks.append(layer.norm.register_forward_pre_hook(keep))
    with torch.no_grad():
        folded(frames)
    for hook in hooks:
        hook.remove()
    return outputs


def _unfold(layer: CausalConv2d, released: nn.Conv2d, mean: Tensor, variance: Tensor) -> None:
    """Set a convolution and its batch norm such that both together compute what a released convolution computes."""
    norm = layer.norm
    assert isinstance(norm, nn.BatchNorm2d)
    assert released.bias is not None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        layer.conv.weight.copy_(released.weight)
        norm.running_mean.copy_(mean - released.bias)
        norm.running_var.copy_(variance)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.bias.copy_(mean)
