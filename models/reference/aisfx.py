"""The network of aiSFX, which embeds sound effects: a CNN of nine layers (Ma and Lerch, ISMIR 2022).

It follows the CNN with nine layers of Kong et al. (DCASE 2018 Challenge Surrey Cross-Task CNN Baseline System, 2018):
four blocks of two convolutions, each with a batch norm and a rectifier. Its classifiers, one for each library of sound
effects that it learnt from, are left out.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (64, 128, 256, 512)
"""Channels of the published blocks; those of the last are the embedding."""
FRAMES, BANDS = 100, 96
"""Frames of 23 ms, and bands, of a block of spectrogram that has an embedding: 2.3 s."""


class ConvolutionPair(nn.Module):
    """Two convolutions of 3 x 3, each with a batch norm and a rectifier.

    Parameters
    ----------
    taken, made : int
        Channels of input and output.
    """

    def __init__(self, taken: int, made: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(taken, made, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(made, made, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(made), nn.BatchNorm2d(made)

    def forward(self, x: Tensor) -> Tensor:
        """Return float32, shape (batch, made, frames, bands), for `x` of shape (batch, taken, frames, bands)."""
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class Aisfx(nn.Module):
    """Embed blocks of spectrogram.

    Parameters
    ----------
    channels : tuple of int
        Channels of the blocks.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ConvolutionPair(taken, made) for taken, made in pairwise((1, *channels)))

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return the embeddings: the maximum over time of the mean over bands.

        Parameters
        ----------
        spectrogram : float32 Tensor, shape (batch, frames, bands)
            Blocks of spectrogram, of `FRAMES` and `BANDS` as published.

        Returns
        -------
        float32 Tensor, shape (batch, channels of the last block)
        """
        x = spectrogram[:, None]
        for block in self.blocks[:-1]:
            x = F.max_pool2d(block(x), 2)
        found: Tensor = torch.amax(self.blocks[-1](x).mean(3), 2)
        return found
