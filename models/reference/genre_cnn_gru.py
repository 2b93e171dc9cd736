"""A network for genres with two ways side by side: convolutions, and a recurrent layer in both directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.reference.sound_cnn import pooled_convolutions


@dataclass(frozen=True)
class GenreCnnGruConfig:
    """Sizes of `GenreCnnGru`.

    Attributes
    ----------
    channels : tuple of int
        Output channels of the convolutions, each of which halves bands and frames.
    units : int
        Units of the GRU in each direction.
    reduced : int
        Numbers of a frame that the GRU gets, of all bands.
    dropout : float
        Dropout before the last layer, in training.
    """

    channels: tuple[int, ...] = (16, 32, 64, 64, 64)
    units: int = 32
    reduced: int = 64
    dropout: float = 0.3


class GenreCnnGru(nn.Module):
    """Convolutions over frames and bands beside a bidirectional GRU over frames; one dense layer takes both.

    Parameters
    ----------
    config : GenreCnnGruConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram; a multiple of 2 to the number of convolutions.
    labels : int
        Number of classes.
    """

    def __init__(self, config: GenreCnnGruConfig, bands: int, labels: int) -> None:
        super().__init__()
        self.body = pooled_convolutions(config.channels, kernel=3)
        self.pool = nn.AvgPool1d(4)
        self.reduce = nn.Linear(bands, config.reduced)
        self.memory = nn.GRU(config.reduced, config.units, batch_first=True, bidirectional=True)
        seen = config.channels[-1] * (bands >> len(config.channels))
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(seen + 2 * config.units, labels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of clips, shape (clips, labels), from spectrograms, shape (clips, bands, frames)."""
        seen = self.body(x.unsqueeze(1)).mean(3).flatten(1)
        _, last = self.memory(torch.relu(self.reduce(self.pool(x).transpose(1, 2))))
        y: Tensor = self.head(torch.cat([seen, last[0], last[1]], 1))
        return y
