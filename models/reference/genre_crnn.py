"""A network for genres: convolutions over time, and an LSTM on what they give."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from models.reference.sound_cnn import dense_head


@dataclass(frozen=True)
class GenreCrnnConfig:
    """Sizes of `GenreCrnn`.

    Attributes
    ----------
    filters : int
        Output channels of each convolution over time.
    kernel : int
        Frames that a convolution sees; odd.
    layers : int
        Number of convolutions, each of which halves the frames.
    units : int
        Units of the LSTM.
    hidden : int
        Units of the layer before the last.
    dropout : float
        Dropout after each convolution and before the last layers, in training.
    """

    filters: int = 56
    kernel: int = 5
    layers: int = 3
    units: int = 64
    hidden: int = 64
    dropout: float = 0.3


class GenreCrnn(nn.Module):
    """Convolutions over time that take the bands for channels, an LSTM, and two dense layers on its last output.

    Parameters
    ----------
    config : GenreCrnnConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram.
    labels : int
        Number of classes.
    """

    def __init__(self, config: GenreCrnnConfig, bands: int, labels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number in range(config.layers):
            before = config.filters if number else bands
            layers += [
                nn.Conv1d(before, config.filters, config.kernel, padding=config.kernel // 2, bias=False),
                nn.BatchNorm1d(config.filters),
                nn.ReLU(),
                nn.MaxPool1d(2),
                nn.Dropout(config.dropout),
            ]
        self.body = nn.Sequential(*layers)
        self.memory = nn.LSTM(config.filters, config.units, batch_first=True)
        self.head = dense_head(config.units, config.hidden, labels, config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of clips, shape (clips, labels), from spectrograms, shape (clips, bands, frames)."""
        frames, _ = self.memory(self.body(x).transpose(1, 2))
        y: Tensor = self.head(frames[:, -1])
        return y
