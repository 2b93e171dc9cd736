"""Whether there is a voice, told by what a mask lets through of each part of the spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.recurrent import Lstm

FLOOR = 1e-4
"""Power of a zone below which it counts as silent; that of a whole frame is about its number of bins."""


class VoiceActivity(nn.Module):
    """Says of each frame whether there is a voice, as a logit.

    Parameters
    ----------
    zone_bins : sequence of int
        Bins of each zone, from the lowest up.
    channels : int
        Of what the network says of a frame besides.
    memory : int
        Units.
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
        """Logits, and the state.

        Parameters
        ----------
        spectra, mask : Tensor, shape (batch, frames, 2 * bins)
            Real parts, then imaginary ones; the spectra are of mean power 1 over some time.
        x : Tensor, shape (batch, frames, channels)
        hidden, cell : Tensor, shape (batch, memory)

        Returns
        -------
        logits : Tensor, shape (batch, frames, 1)
        hidden, cell : Tensor
        """
        power = self._power(spectra)
        let_through = power * self._power(mask)
        heard = torch.cat([self._of_zones(power), self._of_zones(let_through), x], dim=2)
        y, hidden, cell = self.time(heard, hidden, cell)
        return self.out(y), hidden, cell

    def _of_zones(self, power: Tensor) -> Tensor:
        """(batch, frames, bins) to logarithms, (batch, frames, zones), that are about 1 in size."""
        sums = [zone.sum(2) for zone in power.split([*self.zone_bins, 1], dim=2)[:-1]]
        return 0.25 * torch.log(torch.stack(sums, dim=2) + FLOOR)

    @staticmethod
    def _power(x: Tensor) -> Tensor:
        real, imaginary = x.float().chunk(2, dim=2)
        return real.square() + imaginary.square()
