"""A recurrent network that makes music: it tells, of the log-mel frames so far and a genre, what the next may be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.front_ends import music_front_end
from models.layers import TorchState
from models.recurrent import Lstm
from streamer.dsp.log_mel import LogMelConfig

LIMIT = 5.0
"""Largest size of a number of a made frame, in standard deviations; the mel file's lie between -5.3 and 5.1."""
SHARPEST = -4.0
"""Lowest logarithm of a deviation, relative to that of all changes: no frame is foretold more sharply than this."""


@dataclass(frozen=True)
class GenreGeneratorConfig:
    """Sizes of `GenreGenerator`.

    Attributes
    ----------
    mel_bands : int
        Bands of a frame: the lowest of the 128 Slaney bands.
    genre_size : int
        Numbers that stand for a genre.
    layers, units : int
        Layers of the LSTM, and units of each.
    components : int
        Normal distributions in the mixture for the next frame.
    dropout : float
        Dropout of what each layer of the LSTM gives, in training.
    """

    mel_bands: int = 112
    genre_size: int = 16
    layers: int = 2
    units: int = 256
    components: int = 4
    dropout: float = 0.2

    @property
    def front_end(self) -> LogMelConfig:
        """Front end whose frames are made."""
        return music_front_end(self.mel_bands)


class FrameMixture(NamedTuple):
    """Mixture of normal distributions for frames, in the coefficients of a discrete cosine transform over the bands.

    Attributes
    ----------
    logits : Tensor, shape (..., components)
        Logits of the components.
    means, log_deviations : Tensor, shape (..., components, bands)
        Mean of each coefficient, and natural logarithm of its standard deviation.
    """

    logits: Tensor
    means: Tensor
    log_deviations: Tensor

    def log_likelihood(self, coefficients: Tensor) -> Tensor:
        """Return the logarithm of the density of coefficients, shape (..., bands), at each frame, shape (...)."""
        away = (coefficients.unsqueeze(-2) - self.means) * torch.exp(-self.log_deviations)
        each = -0.5 * away.square() - self.log_deviations - 0.5 * math.log(2 * math.pi)
        return torch.logsumexp(torch.log_softmax(self.logits, -1) + each.sum(-1), -1)

    def sample(self, temperature: float, draw: torch.Generator | None = None) -> Tensor:
        """Return coefficients that are drawn at random, shape (..., bands).

        Gradients reach means and deviations of the component that was drawn, not the logits.

        Parameters
        ----------
        temperature : float
            Factor on the deviations, by which the logits are divided as well; 0 takes the mean of the likeliest
            component.
        draw : torch.Generator, optional
            Generator of the random numbers; by default torch's own.
        """
        uniform = torch.rand(self.logits.shape, generator=draw, device=self.logits.device)
        # The largest logit plus Gumbel noise is distributed as the components are (Gumbel 1954).
        gumbel = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
        chosen = (self.logits + temperature * gumbel).argmax(-1)[..., None, None]
        chosen = chosen.expand(*chosen.shape[:-1], self.means.shape[-1])
        mean, log_deviation = (part.gather(-2, chosen).squeeze(-2) for part in self[1:])
        normal = torch.randn(mean.shape, generator=draw, device=mean.device)
        return mean + temperature * log_deviation.exp() * normal


class GenreGenerator(nn.Module):
    """LSTMs over log-mel frames and the embedding of a genre, which give a mixture for the next frame.

    Frames are z-scores: the mean of a clip is 0, its standard deviation 1. Neighbouring bands change together, so the
    mixture is over the coefficients of a cosine transform (orthonormal DCT-II), which are nearly uncorrelated. Its
    means and deviations are relative to the frame before and to the size of changes in the data.

    Parameters
    ----------
    config : GenreGeneratorConfig
        Sizes of the network.
    genres : int
        Number of genres.

    Attributes
    ----------
    transform : Tensor, shape (bands, bands)
        Matrix of the cosine transform.
    change : Tensor, shape (bands,)
        Standard deviation of the change of each coefficient from one frame to the next.
    """

    def __init__(self, config: GenreGeneratorConfig, genres: int) -> None:
        super().__init__()
        self.config = config
        self.transform: Tensor
        self.change: Tensor
        self.register_buffer("transform", cosine_transform(config.mel_bands))
        self.register_buffer("change", torch.ones(config.mel_bands))
        self.genre = nn.Embedding(genres, config.genre_size)
        widths = [config.mel_bands, *[config.units] * (config.layers - 1)]
        self.memory = nn.ModuleList(Lstm(width + config.genre_size, config.units) for width in widths)
        self.dropout = nn.Dropout(config.dropout)
        self.kept = nn.Parameter(torch.full((config.mel_bands,), 2.0))  # as a logit: most of a frame is kept
        self.components = nn.Linear(config.units, config.components)
        self.head = nn.Linear(config.units, config.components * 2 * config.mel_bands)

    def set_change(self, frames: Tensor) -> None:
        """Set `change` from clips to learn from, shape (clips, frames, bands)."""
        self.change.copy_((frames.diff(dim=1) @ self.transform.T).std((0, 1)).clamp(min=1e-3))

    def init(self, clips: int) -> TorchState:
        """Return the state before the first frame of so many clips: zeros, two of (clips, units) for each layer."""
        return tuple(self.change.new_zeros(clips, self.config.units) for _ in range(2 * len(self.memory)))

    def forward(
        self, before: Tensor, genre: Tensor, state: TorchState | None = None
    ) -> tuple[FrameMixture, TorchState]:
        """Return the mixture for each frame, given the frames before.

        Parameters
        ----------
        before : Tensor, shape (clips, frames, bands)
            The frame before each that is asked for; zeros before the first.
        genre : int64 Tensor, shape (clips,)
            Number of each clip's genre.
        state : tuple of Tensor, optional
            State after earlier frames; that of `init` if absent.

        Returns
        -------
        mixture : FrameMixture
            Mixture for each frame, with leading axes (clips, frames).
        state : tuple of Tensor
            State after these frames, for the next call.
        """
        state = self.init(len(before)) if state is None else state
        of_genre = self.genre(genre).expand(before.shape[1], -1, -1)
        x, after = before.transpose(0, 1), []  # (frames, clips, bands)
        for layer, hidden, cell in zip(self.memory, state[::2], state[1::2], strict=True):
            x, hidden, cell = layer(torch.cat([x, of_genre], 2), hidden, cell)
            x = self.dropout(x)
            after += [hidden, cell]
        x = x.transpose(0, 1)
        away, sharpness = self.head(x).unflatten(2, (2, self.config.components, -1)).unbind(2)
        kept = torch.sigmoid(self.kept) * (before @ self.transform.T)
        means = kept.unsqueeze(2) + self.change * away
        return FrameMixture(
            self.components(x), means, self.change.log() + sharpness.clamp(min=SHARPEST)
        ), tuple(after)

    def make(
        self,
        genre: Tensor,
        frames: int,
        temperature: float = 1.0,
        draw: torch.Generator | None = None,
        begun: tuple[Tensor, TorchState] | None = None,
    ) -> Tensor:
        """Make clips, frame by frame: each is drawn from the mixture that those before it give.

        Parameters
        ----------
        genre : int64 Tensor, shape (clips,)
            Number of each clip's genre.
        frames : int
            Number of frames to make.
        temperature, draw
            As of `FrameMixture.sample`.
        begun : (Tensor, tuple of Tensor), optional
            Last frame of each clip that is to go on, shape (clips, bands), and the state before that frame.

        Returns
        -------
        Tensor, shape (clips, frames, bands)
            Frames as z-scores, -LIMIT to LIMIT.
        """
        frame, state = begun or (self.change.new_zeros(len(genre), self.config.mel_bands), None)
        made = []
        for _ in range(frames):
            mixture, state = self(frame.unsqueeze(1), genre, state)
            frame = (mixture.sample(temperature, draw).squeeze(1) @ self.transform).clamp(-LIMIT, LIMIT)
            made.append(frame)
        return torch.stack(made, 1)


def cosine_transform(size: int) -> Tensor:
    """Return the orthonormal matrix of the DCT-II, (size, size): coefficients are ``matrix @ numbers``."""
    n = torch.arange(size)
    matrix = torch.cos(math.pi / size * (n + 0.5) * n[:, None]) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def number_likelihood(mixture: FrameMixture, frames: Tensor) -> Tensor:
    """Return the logarithm of the density of a number of each frame, in nats, shape (clips, frames).

    Parameters
    ----------
    mixture : FrameMixture
        Mixture for each frame, from `GenreGenerator`.
    frames : Tensor, shape (clips, frames, bands)
        The frames that came.
    """
    coefficients = frames @ cosine_transform(frames.shape[-1]).to(frames).T
    return mixture.log_likelihood(coefficients) / frames.shape[-1]
