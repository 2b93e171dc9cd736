"""A network that tells made log-mel frames from music, given the genre: the adversary of a generator."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


@dataclass(frozen=True)
class GenreDiscriminatorConfig:
    """Sizes of `GenreDiscriminator`.

    Attributes
    ----------
    channels : tuple of int
        Output channels of the convolutions, each of which halves frames and bands.
    kernel : int
        Frames and bands that a convolution sees; even.
    """

    channels: tuple[int, ...] = (24, 48, 96, 128)
    kernel: int = 4


class GenreDiscriminator(nn.Module):
    """Convolutions over frames and bands, whose mean is projected on the genre (Miyato and Koyama 2018).

    The weights have a spectral norm of 1 (Miyato et al. 2018), so that a score changes no faster than its input.

    Parameters
    ----------
    config : GenreDiscriminatorConfig
        Sizes of the network.
    genres : int
        Number of genres.
    """

    def __init__(self, config: GenreDiscriminatorConfig, genres: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((1, *config.channels), config.channels, strict=False):
            convolution = nn.Conv2d(before, after, config.kernel, stride=2, padding=config.kernel // 2 - 1)
            layers += [spectral_norm(convolution), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.score = spectral_norm(nn.Linear(config.channels[-1], 1))
        self.genre = spectral_norm(nn.Embedding(genres, config.channels[-1]))

    def forward(self, frames: Tensor, genre: Tensor) -> Tensor:
        """Return how much like music of its genre each clip is, shape (clips,): above 0 for music, below for made.

        Parameters
        ----------
        frames : Tensor, shape (clips, frames, bands)
            Log-mel frames as z-scores.
        genre : int64 Tensor, shape (clips,)
            Number of each clip's genre.
        """
        features = self.body(frames.unsqueeze(1)).mean((2, 3))
        found: Tensor = self.score(features).squeeze(1) + (self.genre(genre) * features).sum(1)
        return found


def hinge_losses(real: Tensor, made: Tensor) -> Tensor:
    """Return the hinge loss of a discriminator (Lim and Ye 2017), a scalar, by its scores of music and made clips."""
    return torch.relu(1 - real).mean() + torch.relu(1 + made).mean()
