"""The Audio Spectrogram Transformer (Gong et al. 2021), the architecture of transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from models.reference.block_network import BlockNetwork
from models.reference.transformers_library import pretrained, transformers
from streamer.errors import ConfigError


@dataclass(frozen=True)
class SoundAstConfig:
    """Sizes of `SoundAst`; by default those of the published weights for AudioSet.

    Attributes
    ----------
    height, width : int
        Bands and frames of the image that the network takes.
    patch, stride : int
        Extent of the square patches, and distance between two, in bands and frames.
    features, heads, hidden, layers : int
        Numbers of a patch, a multiple of `heads`; attention heads; units of a layer's dense part; number of layers.
    dropout : float
        Dropout within the layers.
    """

    height: int = 128
    width: int = 1024
    patch: int = 16
    stride: int = 10
    features: int = 768
    heads: int = 12
    hidden: int = 3072
    layers: int = 12
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.features % self.heads:
            raise ConfigError(
                f"model.features is {self.features}, model.heads {self.heads}; expected a multiple of the heads"
            )


class SoundAst(BlockNetwork):
    """Patches of a spectrogram, transformer layers over them, and a dense layer on the mean of its two class tokens.

    The blocks are the embedding of the patches, the layers, and the last layer norm.

    Parameters
    ----------
    config : SoundAstConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram; any number, since images are resized.
    labels : int
        Number of classes.
    """

    def __init__(self, config: SoundAstConfig, bands: int, labels: int) -> None:
        del bands
        library = transformers()
        sizes = library.ASTConfig(
            hidden_size=config.features,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=config.hidden,
            hidden_dropout_prob=config.dropout,
            patch_size=config.patch,
            frequency_stride=config.stride,
            time_stride=config.stride,
            max_length=config.width,
            num_mel_bins=config.height,
        )
        super().__init__(
            _blocks(library.ASTModel(sizes)),
            _TokenHead(config.features, labels),
            (config.height, config.width),
            channels=1,
        )

    @classmethod
    def check_library(cls) -> None:
        transformers()

    def pretrained_blocks(self, folder: Path) -> list[nn.Module]:
        return _blocks(pretrained(transformers().ASTModel, folder))


class _Embedding(nn.Module):
    """The library's embedding of patches, which takes frames before bands, and no channels."""

    def __init__(self, embeddings: nn.Module) -> None:
        super().__init__()
        self.embeddings = embeddings

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.embeddings(x[:, 0].transpose(1, 2))
        return y


class _TokenHead(nn.Module):
    """Mean of both class tokens, layer norm and a dense layer, as the library's own head."""

    def __init__(self, features: int, labels: int) -> None:
        super().__init__()
        self.norm, self.dense = nn.LayerNorm(features), nn.Linear(features, labels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dense(self.norm(x[:, :2].mean(1)))
        return y


def _blocks(model: Any) -> list[nn.Module]:
    return [_Embedding(model.embeddings), *model.layers, model.layernorm]
