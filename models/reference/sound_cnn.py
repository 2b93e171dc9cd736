"""A convolutional network that classifies whole clips by their mel spectrogram, as most student projects build it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class SoundCnnConfig:
    """Sizes of `SoundCnn`.

    Attributes
    ----------
    channels : tuple of int
        Output channels of the convolutions, each of which halves bands and frames.
    kernel : int
        Extent of the convolutions in bands and frames; odd.
    hidden : int
        Units of the layer before the last.
    dropout : float
        Dropout before both dense layers, in training.
    """

    channels: tuple[int, ...] = (32, 64, 128)
    kernel: int = 3
    hidden: int = 128
    dropout: float = 0.2


class SoundCnn(nn.Module):
    """Convolutions with batch norm and pooling, then two dense layers on the mean over time.

    Parameters
    ----------
    config : SoundCnnConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram; a multiple of 2 to the number of convolutions.
    labels : int
        Number of classes.
    """

    def __init__(self, config: SoundCnnConfig, bands: int, labels: int) -> None:
        super().__init__()
        self.body = pooled_convolutions(config.channels, config.kernel)
        pooled = config.channels[-1] * (bands >> len(config.channels))
        self.head = dense_head(pooled, config.hidden, labels, config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of clips, shape (clips, labels).

        Parameters
        ----------
        x : Tensor, shape (clips, bands, frames)
            Standardised log-mel spectrograms.
        """
        y: Tensor = self.head(self.body(x.unsqueeze(1)).mean(3).flatten(1))
        return y


def pooled_convolutions(channels: tuple[int, ...], kernel: int) -> nn.Sequential:
    """Return convolutions with batch norm and max-pooling, which map (clips, 1, bands, frames) to smaller maps."""
    layers: list[nn.Module] = []
    for before, after in zip((1, *channels), channels, strict=False):
        layers += [
            nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers)


def dense_head(inputs: int, hidden: int, labels: int, dropout: float) -> nn.Sequential:
    """Return two dense layers with dropout before each, which give logits."""
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(inputs, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, labels),
    )
