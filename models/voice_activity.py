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
        self.zone_bins = list(zone_bins)
        self.time = Lstm(2 * len(self.zone_bins) + channels, memory)
        self.out = nn.Linear(memory, 1)
        self.state_shapes = 2 * ((memory,),)

    def forward(
        self, spectra: Tensor, mask: Tensor, x: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logit that a voice sounds in each frame, and the state of the LSTM.

        Parameters
        ----------
        spectra : Tensor, shape (batch, frames, 2 * bins)
            Spectra of the mixture, real parts and then imaginary parts, scaled by `models.spectra.Levelled`: over the
            last `MaskConfig.level_frames` frames, the mean square of all parts is 1.
        mask : Tensor, shape (batch, frames, 2 * bins)
            Complex mask of the voice, real parts and then imaginary parts.
        x : Tensor, shape (batch, frames, channels)
            Features of each frame inside the separation network: the mean over its bands.
        hidden, cell : Tensor, shape (batch, memory)
            State of the LSTM after the frames before; zeros at a start.

        Returns
        -------
        logits : Tensor, shape (batch, frames, 1)
            Positive where a voice is likelier than none; the probability is the sigmoid.
        hidden, cell : Tensor, shape (batch, memory)
            State of the LSTM after the last frame.
        """
        power = self._power(spectra)
        voice_power = power * self._power(mask)
        features = torch.cat([self._log_zones(power), self._log_zones(voice_power), x], dim=2)
        y, hidden, cell = self.time(features, hidden, cell)
        return self.out(y), hidden, cell

    def _log_zones(self, power: Tensor) -> Tensor:
        """Map power (batch, frames, bins) to scaled logarithms of each zone's power (batch, frames, zones)."""
        # The last bin belongs to no zone.
        sums = [zone.sum(2) for zone in power.split([*self.zone_bins, 1], dim=2)[:-1]]
        return 0.25 * torch.log(torch.stack(sums, dim=2) + FLOOR)

    @staticmethod
    def _power(x: Tensor) -> Tensor:
        real, imaginary = x.float().chunk(2, dim=2)
        return real.square() + imaginary.square()
