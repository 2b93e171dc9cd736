"""EfficientNet (Tan and Le 2019) on spectrogram images, the architecture of transformers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from models.reference.block_network import BlockNetwork, PooledHead
from models.reference.transformers_library import pretrained, transformers

MOMENTUM = 0.1
"""Part that a batch has in the statistics of batch norms, torch's own.

The library's default, 0.99, is what other libraries call the part of the past; in torch it would keep hardly more than
the last batch.
"""


@dataclass(frozen=True)
class SoundEfficientNetConfig:
    """Sizes of `SoundEfficientNet`; by default those of EfficientNet-B3.

    Attributes
    ----------
    height, width : int
        Size of the image that the network takes.
    broader, deeper : float
        Factors of the channels, and of the number of blocks, of EfficientNet-B0.
    repeats : tuple of int
        Number of blocks of each stage of EfficientNet-B0, up to seven.
    drop_path : float
        Chance that the last block is left out in training; that of others is smaller, in proportion to their place.
    dropout : float
        Dropout before the last layer.
    """

    height: int = 300
    width: int = 300
    broader: float = 1.2
    deeper: float = 1.4
    repeats: tuple[int, ...] = (1, 2, 2, 3, 3, 4, 1)
    drop_path: float = 0.2
    dropout: float = 0.3


class SoundEfficientNet(BlockNetwork):
    """Inverted bottlenecks with squeeze and excitation, a mean over the image, and a dense layer.

    The blocks are the first convolution, the inverted bottlenecks, and the last convolution.

    Parameters
    ----------
    config : SoundEfficientNetConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram; any number, since images are resized.
    labels : int
        Number of classes.
    """

    def __init__(self, config: SoundEfficientNetConfig, bands: int, labels: int) -> None:
        del bands
        blocks = _blocks(transformers().EfficientNetModel(library_sizes(config)))
        for block in blocks:
            block.apply(_randomise)
        last: Any = blocks[-1]
        super().__init__(
            blocks,
            PooledHead(last[0].out_channels, labels, config.dropout),
            (config.height, config.width),
            channels=3,
        )

    @classmethod
    def check_library(cls) -> None:
        transformers()

    def pretrained_blocks(self, folder: Path) -> list[nn.Module]:
        return _blocks(pretrained(transformers().EfficientNetModel, folder))


def library_sizes(config: SoundEfficientNetConfig) -> Any:
    """Return the library's configuration, whose tables of stages have defaults of B0 for all seven."""
    kind, stages = transformers().EfficientNetConfig, len(config.repeats)
    b0 = kind()
    tables = ("kernel_sizes", "in_channels", "out_channels", "strides", "expand_ratios")
    return kind(
        width_coefficient=config.broader,
        depth_coefficient=config.deeper,
        num_block_repeats=list(config.repeats),
        drop_connect_rate=config.drop_path,
        batch_norm_momentum=MOMENTUM,
        # As the library rounds the channels of the last convolution, which its configuration asks for again.
        hidden_dim=8 * max(1, int(1280 * config.broader + 4) // 8),
        **{name: list(getattr(b0, name)[:stages]) for name in tables},
    )


def _randomise(layer: nn.Module) -> None:
    """Draw the weights of a convolution as the authors' program does, by the number of outputs of an input.

    The library's own mean to be replaced by pretrained ones: those of batch norms are drawn around 0 as well, so that
    the image fades from block to block. Here batch norms begin with a factor of 1.
    """
    if isinstance(layer, nn.BatchNorm2d):
        layer.reset_parameters()
    elif isinstance(layer, nn.Conv2d):
        outputs = layer.out_channels * math.prod(layer.kernel_size) / layer.groups
        nn.init.normal_(layer.weight, std=math.sqrt(2 / outputs))


def _blocks(model: Any) -> list[nn.Module]:
    last = model.encoder
    return [model.embeddings, *last.blocks, nn.Sequential(last.top_conv, last.top_bn, last.top_activation)]
