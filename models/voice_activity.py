"""Voice activity detection from the power that a mask lets through in each part of the spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.recurrent import Lstm

FLOOR = 1e-4
"""Power of a zone below which it counts as silent; that of a whole frame is about its number of bins."""


class VoiceActivity(nn.Module):
    """Return the logit of a voice in each frame, by an LSTM over the power of zones before and after the mask.

    Parameters
    ----------
    zone_bins : sequence of int
        Bins of each zone, from the lowest up.
    channels : int
        Numbers per frame that the mask network adds as input.
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
        """Return logits and the state.

        Parameters
        ----------
        spectra, mask : Tensor, shape (batch, frames, 2 * bins)
            Real parts, then imaginary parts; the spectra are normalised to a mean power of 1.
        x : Tensor, shape (batch, frames, channels)
        hidden, cell : Tensor, shape (batch, memory)

        Returns
        -------
        logits : Tensor, shape (batch, frames, 1)
        hidden, cell : Tensor
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
