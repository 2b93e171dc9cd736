"""Two baselines of the FMA data set (Defferrard et al. 2017), on mel spectrograms: dense layers, plain convolutions."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class FlatConfig:
    """Sizes of `Flat`.

    Attributes
    ----------
    frames : int
        Frames of a spectrogram.
    hidden : tuple of int
        Units of the layers before the last.
    """

    frames: int = 130
    hidden: tuple[int, ...] = (1_000, 100)


class Flat(nn.Module):
    """Dense layers on a whole spectrogram, whose frames and bands are numbers in a row.

    Parameters
    ----------
    config : FlatConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram.
    labels : int
        Number of classes.
    """

    def __init__(self, config: FlatConfig, bands: int, labels: int) -> None:
        super().__init__()
        sizes = (bands * config.frames, *config.hidden)
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in zip(sizes, config.hidden, strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], labels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of clips, shape (clips, labels), from spectrograms, shape (clips, bands, frames)."""
        y: Tensor = self.layers(x)
        return y


@dataclass(frozen=True)
class PlainConfig:
    """Sizes of `Plain`.

    Attributes
    ----------
    filters, kernel, pool : int
        Output channels and frames of both convolutions over time, and the frames of which one is kept after each.
    hidden : int
        Units of the layer before the last.
    """

    filters: int = 32
    kernel: int = 8
    pool: int = 4
    hidden: int = 100


class Plain(nn.Module):
    """Two convolutions over time with pooling, and two dense layers (Dieleman and Schrauwen 2014).

    Theirs flatten the frames that are left; here their maxima are taken, so that clips may have any length.

    Parameters
    ----------
    config : PlainConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram.
    labels : int
        Number of classes.
    """

    def __init__(self, config: PlainConfig, bands: int, labels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(bands, config.filters, config.kernel),
            nn.ReLU(),
            nn.MaxPool1d(config.pool),
            nn.Conv1d(config.filters, config.filters, config.kernel),
            nn.ReLU(),
            nn.AdaptiveMaxPool1d(1),
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(config.filters, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, labels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of clips, shape (clips, labels), from spectrograms, shape (clips, bands, frames)."""
        y: Tensor = self.head(self.body(x))
        return y
