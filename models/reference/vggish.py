"""VGGish, AudioSet's network for embeddings of sound (Hershey et al. 2017), without its classifier."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

FRAMES, BANDS = 96, 64
"""Log-mel frames of 10 ms, and bands, of a patch."""
CONVOLUTIONS = (1, 1, 2, 2)
"""Convolutions of each block, after which frames and bands are halved."""


@dataclass(frozen=True)
class VGGishConfig:
    """Sizes of `VGGish`; the defaults are those of the published weights.

    Attributes
    ----------
    channels : tuple of int
        Output channels of the convolutions of each of the four blocks.
    hidden : int
        Units of the first two dense layers.
    embedding : int
        Numbers of an embedding.
    """

    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    hidden: int = 4_096
    embedding: int = 128


class VGGish(nn.Module):
    """Four blocks of convolutions and three dense layers; modules are named as in torchvggish's state dict.

    The last layer has no rectifier, as in the definition of the network since 2020 (tensorflow/models,
    research/audioset/vggish). torchvggish has one there, which takes away what is below 0.

    Parameters
    ----------
    config : VGGishConfig
        Sizes of the network.
    """

    def __init__(self, config: VGGishConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for channels, convolutions in zip(config.channels, CONVOLUTIONS, strict=True):
            for _ in range(convolutions):
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
                before = channels
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        left = (FRAMES >> len(CONVOLUTIONS)) * (BANDS >> len(CONVOLUTIONS))
        self.embeddings = nn.Sequential(
            nn.Linear(before * left, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.embedding),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Return the embeddings of patches, shape (patches, embedding).

        Parameters
        ----------
        patches : Tensor, shape (patches, `FRAMES`, `BANDS`)
            Log-mel frames.
        """
        # The weights were learnt in TensorFlow's order: frames, bands, channels.
        found = self.features(patches.unsqueeze(1)).permute(0, 2, 3, 1).flatten(1)
        y: Tensor = self.embeddings(found)
        return y
