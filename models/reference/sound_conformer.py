"""Conformer (Gulati et al. 2020) over the frames of a spectrogram, the architecture of torchaudio."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from models import torchaudio_cpu
from models.reference.block_network import BlockNetwork
from streamer.errors import ConfigError


@dataclass(frozen=True)
class SoundConformerConfig:
    """Sizes of `SoundConformer`; by default nearly those of the smallest network of its paper.

    Attributes
    ----------
    channels : int
        Output channels of both convolutions before the layers, each of which halves bands and frames.
    features, heads, hidden, layers : int
        Numbers of a step, a multiple of `heads`; attention heads; units of a layer's dense parts; number of layers.
    kernel : int
        Extent of a layer's convolution over time, in steps; odd.
    dropout : float
        Dropout within the layers and before the last one.
    """

    channels: int = 32
    features: int = 144
    heads: int = 4
    hidden: int = 576
    layers: int = 16
    kernel: int = 31
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.features % self.heads or not self.kernel % 2:
            raise ConfigError(
                f"model.features is {self.features}, model.heads {self.heads}, model.kernel {self.kernel}; expected "
                "a multiple of the heads, and an odd kernel"
            )


class SoundConformer(BlockNetwork):
    """Two strided convolutions, Conformer layers over time, their mean, and a dense layer.

    The blocks are the convolutions, and the layers.

    Parameters
    ----------
    config : SoundConformerConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram.
    labels : int
        Number of classes.
    """

    def __init__(self, config: SoundConformerConfig, bands: int, labels: int) -> None:
        model = torchaudio_cpu.load().models.Conformer(
            config.features, config.heads, config.hidden, config.layers, config.kernel, config.dropout
        )
        layers = [_Layer(layer) for layer in model.conformer_layers]
        super().__init__([_Steps(config, bands), *layers], _MeanHead(config, labels), size=None, channels=1)

    @classmethod
    def check_library(cls) -> None:
        torchaudio_cpu.load()

    def pretrained_blocks(self, folder: Path) -> list[nn.Module]:
        raise ConfigError(
            f"weights is {str(folder)!r}; expected an empty text, since torchaudio has no pretrained weights of this "
            "Conformer"
        )


class _Steps(nn.Module):
    """Two convolutions that halve bands and frames, and a dense layer to the numbers of a step."""

    def __init__(self, config: SoundConformerConfig, bands: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, config.channels, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(config.channels, config.channels, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.dense = nn.Linear(config.channels * -(-bands // 4), config.features)

    def forward(self, x: Tensor) -> Tensor:
        """Return steps, shape (steps, clips, features), of images, shape (clips, 1, bands, frames)."""
        y: Tensor = self.dense(self.convolutions(x).permute(3, 0, 1, 2).flatten(2))
        return y


class _Layer(nn.Module):
    """A layer of torchaudio, whose second argument names steps to leave out: none."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x, None)
        return y


class _MeanHead(nn.Module):
    """Mean over the steps, dropout and a dense layer."""

    def __init__(self, config: SoundConformerConfig, labels: int) -> None:
        super().__init__()
        self.dropout, self.dense = nn.Dropout(config.dropout), nn.Linear(config.features, labels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dense(self.dropout(x.mean(0)))
        return y
