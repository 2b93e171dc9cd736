"""OpenL3's network for embeddings of sound (Cramer et al. 2019), of mel spectrograms, with 512 numbers."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (64, 64, 128, 128, 256, 256, 512, 512)
"""Output channels of the convolutions; after each pair but the last, bands and frames are halved."""
_NORM_EPSILON = 1e-3
"""Keras's default."""


class OpenL3(nn.Module):
    """Eight convolutions, each after a batch norm, and the maximum over what is left of bands and frames.

    Published networks take 128 or 256 bands and 199 frames; the same weights have the same shapes for both.

    Parameters
    ----------
    channels : tuple of int
        Output channels of the convolutions, an even number of them; the last is the size of an embedding.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        before = (1, *channels[:-1])
        self.norms = nn.ModuleList(nn.BatchNorm2d(size, eps=_NORM_EPSILON) for size in before)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in zip(before, channels, strict=True)
        )

    def forward(self, spectrograms: Tensor) -> Tensor:
        """Return the embeddings of windows of 1 s, shape (windows, embedding).

        Parameters
        ----------
        spectrograms : Tensor, shape (windows, bands, frames)
            Mel spectrograms in decibels, 0 at the loudest point.
        """
        x: Tensor = self.norms[0](spectrograms.unsqueeze(1))
        for place, convolution in enumerate(self.convolutions):
            if place:
                x = functional.relu(self.norms[place](x))
                if place % 2 == 0:
                    x = functional.max_pool2d(x, 2)
            x = convolution(x)
        return x.amax((2, 3))
