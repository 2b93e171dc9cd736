"""The convolutional network for clips with attention over the frames of its last convolution."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from models.reference.self_attention import SelfAttention
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
        self.body = pooled_convolutions(config.channels, config.kernel)
        self.frame = nn.Linear(config.channels[-1] * (bands >> len(config.channels)), config.width)
        self.attention = SelfAttention(config.width, config.heads, config.width // config.heads)
        self.norm = nn.LayerNorm(config.width)
        self.head = dense_head(config.width, config.hidden, labels, config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of clips, shape (clips, labels), from spectrograms, shape (clips, bands, frames)."""
        frames = self._frames(x)
        y: Tensor = self.head(self.norm(frames + self.attention(frames)).mean(1))
        return y

    def weights(self, x: Tensor) -> Tensor:
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
        return self.attention.weights(self._frames(x))

    def _frames(self, x: Tensor) -> Tensor:
        y: Tensor = self.frame(self.body(x.unsqueeze(1)).permute(0, 3, 1, 2).flatten(2))
        return y
