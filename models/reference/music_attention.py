"""The network for music or not on sequences of embeddings: self-attention, and convolutions over time."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from models.reference.self_attention import SelfAttention
from models.reference.sound_cnn import dense_head


@dataclass(frozen=True)
class MusicAttentionConfig:
    """Sizes of `MusicAttention`.

    Attributes
    ----------
    heads, key : int
        Attention heads, and numbers of a query, a key or a value in each.
    attention_dropout : float
        Dropout of the weights of attention, in training.
    filters : tuple of int
        Output channels of both convolutions over time.
    kernel : int
        Steps that a convolution sees; odd.
    dropout : float
        Dropout after the first convolution, in training.
    hidden : int
        Units of the layer before the last.
    last_dropout : float
        Dropout before both dense layers, in training.
    """

    heads: int = 2
    key: int = 64
    attention_dropout: float = 0.2
    filters: tuple[int, int] = (64, 128)
    kernel: int = 3
    dropout: float = 0.4
    hidden: int = 64
    last_dropout: float = 0.6


class MusicAttention(nn.Module):
    """Self-attention over the steps of a sequence, two convolutions over time, their mean, and two dense layers.

    Parameters
    ----------
    config : MusicAttentionConfig
        Sizes of the network.
    features : int
        Numbers of an embedding.
    labels : int
        Number of classes.
    """

    def __init__(self, config: MusicAttentionConfig, features: int, labels: int) -> None:
        super().__init__()
        first, second = config.filters
        self.attention = SelfAttention(features, config.heads, config.key, config.attention_dropout)
        self.body = nn.Sequential(
            nn.BatchNorm1d(features),
            nn.Conv1d(features, first, config.kernel, padding=config.kernel // 2),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Dropout(config.dropout),
            nn.Conv1d(first, second, config.kernel, padding=config.kernel // 2),
            nn.ReLU(),
        )
        self.head = dense_head(second, config.hidden, labels, config.last_dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of sequences.

        Parameters
        ----------
        x : Tensor, shape (sequences, features, steps)
            Sequences of embeddings.

        Returns
        -------
        Tensor, shape (sequences, labels)
        """
        gathered = self.attention(x.transpose(1, 2)).transpose(1, 2)
        y: Tensor = self.head(self.body(gathered).mean(2))
        return y

    def weights(self, x: Tensor) -> Tensor:
        """Return how strongly each step attends to each, shape (sequences, heads, steps, steps), for pictures."""
        return self.attention.weights(x.transpose(1, 2))
