"""A separation network of stacked GRUs on magnitudes, with soft masks of voice and accompaniment."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from models.layers import StreamingModel, TorchState
from models.recurrent import Gru
from models.spectra import Levelled
from streamer.dsp.stft import StftConfig
from streamer.errors import ConfigError

QUIETEST = 1e-6
"""Smallest estimated magnitude, so that the mask of a bin in which neither stem sounds is a half."""


@dataclass(frozen=True)
class StackedGruConfig:
    """Sizes of the separation network `StackedGru`.

    Attributes
    ----------
    stft : StftConfig
        Transform that gives the input spectra.
    units : int
        Units of each layer.
    layers : int
        Number of layers.
    dropout : float
        Dropout after each layer, in training.
    level_frames : int
        Frames, the present one and those before it, by whose mean power the input is scaled to a power of 1; 2 or more.

    Raises
    ------
    ConfigError
        If there is no unit or no layer.
    """

    stft: StftConfig = field(default_factory=StftConfig)
    units: int = 256
    layers: int = 3
    dropout: float = 0.1
    level_frames: int = 200

    def __post_init__(self) -> None:
        if self.units < 1 or self.layers < 1:
            raise ConfigError(f"{self.layers} layers of {self.units} units; expected at least 1 of both")


class StackedGru(StreamingModel):
    """Separation network: for each frame it gives a real mask of the voice, 0 to 1, and the logit that a voice sounds.

    It follows the recurrent networks of Huang et al. (2014), with GRUs: it sees magnitudes alone, estimates those of
    both stems, and its last layer, which is not learnt, makes them soft masks that add up to 1. So the voice keeps the
    phase of the mixture, and the accompaniment is the rest of the spectrum.

    Parameters
    ----------
    config : StackedGruConfig
        Sizes of the network.
    """

    hop_frames = 1
    latency_frames = 1

    def __init__(self, config: StackedGruConfig = StackedGruConfig()) -> None:
        super().__init__()
        self.config = config
        bins, widths = config.stft.bins, [config.stft.bins, *[config.units] * (config.layers - 1)]
        self.level = Levelled(config.level_frames)
        self.memories = nn.ModuleList(Gru(width, config.units) for width in widths)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.units, 2 * bins + 1)
        self.state_shapes = (*self.level.state_shapes, *[(config.units,)] * config.layers)

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the mask of the voice and the logit that a voice sounds, for each frame of spectra.

        Arguments and results are those of `models.separation_mask.Mask.forward`; the imaginary parts of the mask are 0.
        """
        state = self.init(x) if state is None else state
        x, (*after,) = self.level(x, state[:1])
        real, imaginary = x.unflatten(2, (2, -1)).unbind(2)
        y = (real.square() + imaginary.square() + 1e-6).pow(0.15)  # magnitudes, compressed by the power 0.3
        y = y.transpose(0, 1)  # to (frames, batch, bins)
        for memory, hidden in zip(self.memories, state[1:], strict=True):
            y, hidden = memory(y, hidden)
            after.append(hidden)
            y = self.dropout(y)
        magnitudes, logit = self.head(y.transpose(0, 1)).split([2 * self.config.stft.bins, 1], dim=2)
        voice, music = (nn.functional.softplus(magnitudes) + QUIETEST).chunk(2, dim=2)
        mask = voice / (voice + music)
        return torch.cat([mask, torch.zeros_like(mask), logit], dim=2), tuple(after)
