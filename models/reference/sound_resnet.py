"""ResNet (He et al. 2016) on spectrogram images, the architecture of transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from models.reference.block_network import BlockNetwork, PooledHead
from models.reference.transformers_library import pretrained, transformers


@dataclass(frozen=True)
class SoundResNetConfig:
    """Sizes of `SoundResNet`; by default those of ResNet-50.

    Attributes
    ----------
    height, width : int
        Size of the image that the network takes.
    stem : int
        Output channels of the first convolution.
    channels, depths : tuple of int
        Output channels, and number of bottlenecks, of each stage.
    dropout : float
        Dropout before the last layer.
    """

    height: int = 224
    width: int = 224
    stem: int = 64
    channels: tuple[int, ...] = (256, 512, 1024, 2048)
    depths: tuple[int, ...] = (3, 4, 6, 3)
    dropout: float = 0.2


class SoundResNet(BlockNetwork):
    """Bottlenecks with residual connections, a mean over the image, and a dense layer.

    The blocks are the first convolution with its pooling, and the bottlenecks.

    Parameters
    ----------
    config : SoundResNetConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram; any number, since images are resized.
    labels : int
        Number of classes.
    """

    def __init__(self, config: SoundResNetConfig, bands: int, labels: int) -> None:
        del bands
        library = transformers()
        sizes = library.ResNetConfig(
            embedding_size=config.stem, hidden_sizes=list(config.channels), depths=list(config.depths)
        )
        super().__init__(
            _blocks(library.ResNetModel(sizes)),
            PooledHead(config.channels[-1], labels, config.dropout),
            (config.height, config.width),
            channels=3,
        )

    @classmethod
    def check_library(cls) -> None:
        transformers()

    def pretrained_blocks(self, folder: Path) -> list[nn.Module]:
        return _blocks(pretrained(transformers().ResNetModel, folder))


def _blocks(model: Any) -> list[nn.Module]:
    return [model.embedder, *(layer for stage in model.encoder.stages for layer in stage.layers)]
