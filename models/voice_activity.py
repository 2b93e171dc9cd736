"""Voice activity detection from the power that a mask lets through in each part of the spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.recurrent import Lstm

FLOOR = 1e-4
"""Power that is added to the power of each zone before the logarithm, so that silence has one. The power of a whole
frame is about its number of bins."""


class VoiceActivity(nn.Module):
    """Voice detector of the separation network: an LSTM over the power of each zone, before and after the voice's mask.

    Parameters
    ----------
    zone_bins : sequence of int
        Bins of each zone (a range of the spectrum, see `MaskConfig.zones`), from the lowest zone up.
    channels : int
        Numbers in each frame of `x`, which the separation network gives as further input.
    memory : int
        Units of the LSTM.
    """

    def __init__(self, zone_bins: Sequence[int], channels: int, memory: int) -> None:
        super().__init__()
        self.time = Lstm(2 * len(zone_bins) + channels, memory)
        self.out = nn.Linear(memory, 1)
        self.zones: Tensor
        self.register_buffer("zones", _zones(zone_bins), persistent=False)
        self.state_shapes = 2 * ((memory,),)

    def forward(
        self, power: Tensor, mask: Tensor, x: Tensor, frames: int, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logit that a voice sounds in each frame, and the state of the LSTM.

        A row is a frame of one stream; the frames are the outer axis.

        Parameters
        ----------
        power : Tensor, shape (rows, 1, 1, bins)
            Power of the mixture, scaled by `models.spectra.Levelled`: over the last `MaskConfig.level_frames` frames,
            the mean square of all real and imaginary parts is 1.
        mask : Tensor, shape (rows, 2, 1, bins)
            Complex mask of the voice, real parts and then imaginary parts.
        x : Tensor, shape (rows, channels)
            Features of each frame inside the separation network: the mean over its bands.
        frames : int
            Frames of each stream.
        hidden, cell : Tensor, shape (batch, memory)
            State of the LSTM after the frames before; zeros at a start.

        Returns
        -------
        logits : Tensor, shape (rows, 1)
            Positive where a voice is likelier than none; the probability is the sigmoid.
        hidden, cell : Tensor, shape (batch, memory)
            State of the LSTM after the last frame.
        """
        voice_power = power * mask.float().square().sum(1, keepdim=True)
        # A product of matrices would be rounded to half precision in training.
        sums = (torch.cat([power, voice_power], dim=1) * self.zones).sum(3)
        features = torch.cat([0.25 * torch.log(sums + FLOOR).flatten(1), x], dim=1)
        y, hidden, cell = self.time(features.reshape(frames, -1, features.shape[1]), hidden, cell)
        return self.out(y.reshape(-1, y.shape[2])), hidden, cell


def _zones(zone_bins: Sequence[int]) -> Tensor:
    """Return 1 where a bin is in a zone and else 0, shape (zones, bins); the last bin belongs to no zone."""
    zones, first = torch.zeros(len(zone_bins), sum(zone_bins) + 1), 0
    for zone, bins in zip(zones, zone_bins, strict=True):
        zone[first : first + bins] = 1.0
        first += bins
    return zones
