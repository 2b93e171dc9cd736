"""The convolutional network for clips with attention over the frames of its last convolution."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.reference.sound_cnn import SoundCnnConfig, dense_head, pooled_convolutions


@dataclass(frozen=True)
class SoundCnnAttentionConfig(SoundCnnConfig):
    """Sizes of `SoundCnnAttention`.

    Attributes
    ----------
    width : int
        Numbers of a frame that attention works on; a multiple of `heads`.
    heads : int
        Attention heads.
    """

    width: int = 128
    heads: int = 4


class SoundCnnAttention(nn.Module):
    """Convolutions with batch norm and pooling, self-attention over the remaining frames, and two dense layers.

    Parameters
    ----------
    config : SoundCnnAttentionConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram; a multiple of 2 to the number of convolutions.
    labels : int
        Number of classes.
    """

    def __init__(self, config: SoundCnnAttentionConfig, bands: int, labels: int) -> None:
        super().__init__()
        self.heads = config.heads
        self.body = pooled_convolutions(config.channels, config.kernel)
        self.frame = nn.Linear(config.channels[-1] * (bands >> len(config.channels)), config.width)
        self.query, self.key, self.value = (nn.Linear(config.width, config.width) for _ in range(3))
        self.out = nn.Linear(config.width, config.width)
        self.norm = nn.LayerNorm(config.width)
        self.head = dense_head(config.width, config.hidden, labels, config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of clips, shape (clips, labels), from spectrograms, shape (clips, bands, frames)."""
        frames = self._frames(x)
        mixed = self._weights(frames) @ self._by_head(self.value(frames))
        attended = frames + self.out(mixed.transpose(1, 2).flatten(2))
        y: Tensor = self.head(self.norm(attended).mean(1))
        return y

    def attention(self, x: Tensor) -> Tensor:
        """Return how strongly each frame of the last convolution attends to each, for pictures.

        Parameters
        ----------
        x : Tensor, shape (clips, bands, frames)
            Standardised log-mel spectrograms.

        Returns
        -------
        Tensor, shape (clips, heads, pooled frames, pooled frames)
            Weights, whose sum over the last axis is 1.
        """
        return self._weights(self._frames(x))

    def _frames(self, x: Tensor) -> Tensor:
        y: Tensor = self.frame(self.body(x.unsqueeze(1)).permute(0, 3, 1, 2).flatten(2))
        return y

    def _weights(self, frames: Tensor) -> Tensor:
        queries, keys = self._by_head(self.query(frames)), self._by_head(self.key(frames))
        return torch.softmax(queries @ keys.transpose(2, 3) * queries.shape[3] ** -0.5, dim=3)

    def _by_head(self, x: Tensor) -> Tensor:
        by_head: Tensor = x.unflatten(2, (self.heads, -1)).transpose(1, 2)
        return by_head
