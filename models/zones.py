"""Zones of the spectrum in the separation network: how their bands are encoded, and where their masks are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PARTS = 3
"""Numbers that describe a bin: the amplitude, the real part and the imaginary part, all compressed."""


class Zone(nn.Module):
    """Encode each band of a zone, with its two neighbours, by one linear layer that all bands of the zone share.

    Because the bands share weights, what is learnt at one pitch holds at others. Over all bands the layer is a
    convolution, whose kernel is three bands long and moves by one band.

    Parameters
    ----------
    width : int
        Number of bins in a band.
    channels : int
        Numbers for each band that come out.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.width = width
        self.linear = nn.Linear(3 * width * PARTS, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map `PARTS` numbers of each bin, (rows, PARTS, 1, bins), to (rows, 1, bands, channels).

        There is a band more below and above in the input, as `with_neighbours` gives it.
        """
        weight = self.linear.weight.view(-1, 1, 3 * self.width, PARTS).permute(0, 3, 1, 2)
        y = nn.functional.conv2d(x, weight, self.linear.bias, stride=(1, self.width))
        return y.permute(0, 2, 3, 1)


def with_neighbours(x: Tensor, zones: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
    """Return the bins of each zone with a band more below and above: the lowest band again, and the highest.

    Parameters
    ----------
    x : Tensor, shape (rows, parts, 1, bins)
        All bins of a frame. The last one, at half the sample rate, is in no zone.
    zones : sequence of (int, int)
        Number of bands of each zone, 2 or more, and bins in each of them.
    """
    sizes = [size for bands, width in zones for size in (width, (bands - 2) * width, width)]
    pieces = x.split([*sizes, 1], dim=3)
    wide = [pieces[3 * zone + n] for zone in range(len(zones)) for n in (0, 0, 1, 2, 2)]
    found: tuple[Tensor, ...] = torch.cat(wide, dim=3).split(
        [(bands + 2) * width for bands, width in zones], dim=3
    )
    return found


def mask_pieces(zones: Sequence[tuple[int, int]], size: int) -> Tensor:
    """Return the numbers of the pieces that make a mask: the real parts of all bands, then the imaginary parts.

    Parameters
    ----------
    zones : sequence of (int, int)
        Number of bands of each zone, and bins in each of them.
    size : int
        Bins of a piece; it divides the bins of every band.

    Returns
    -------
    int64 Tensor, shape (2 * bins / size,)
        Numbers of pieces among those of all decoders: for each band, each decoder in turn gives the real parts of its
        bins and their imaginary parts. Each band has its mask from the decoder of its own zone.
    """
    outputs = 2 * sum(width for _, width in zones)
    found, first_band, first = [], 0, 0
    for bands, width in zones:
        starts = outputs * torch.arange(first_band, first_band + bands) + first
        # (real or imaginary, bands, pieces of a band)
        bins = torch.arange(0, 2 * width, size).view(2, 1, -1) + starts.view(-1, 1)
        found.append(bins.flatten(1) // size)
        first_band, first = first_band + bands, first + 2 * width
    return torch.cat(found, dim=1).flatten()
