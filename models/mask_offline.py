"""The mask network as it would be if it could wait for the end: what causality costs is measured against it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers import TorchState
from models.mask import BandLayers, Mask, MaskConfig
from models.spectra import QUIET


class OfflineMask(Mask):
    """`models.mask.Mask` that hears all of a sound at once: its LSTMs run over time in both directions.

    It does not step: there is no state.

    Parameters
    ----------
    config : MaskConfig
        `memory` is that of each direction; `level_frames` has no effect, the level is that of the whole sound.
    """

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.blocks = nn.ModuleList(_OfflineBlock(config) for _ in range(config.blocks))
        self.state_shapes = ()

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """As of `models.mask.Mask`, but that `x` is all there is, and the state is empty.

        Raises
        ------
        ValueError
            If there is a state.
        """
        if state:
            raise ValueError(
                f"got a state of {len(state)} tensors; expected none: this network does not step"
            )
        power = x.square().mean((1, 2), keepdim=True)
        spectra = x * torch.rsqrt(power.clamp(min=QUIET))
        x = self._encoded(spectra)
        for block in self.blocks:
            x = block(x)
        nothing = x.new_zeros(x.shape[0], self.config.voice_memory)
        return self._given(spectra, x, nothing, nothing)[0], ()


class _OfflineBlock(BandLayers):
    """A block whose bands know what is to come."""

    def __init__(self, config: MaskConfig) -> None:
        both_ways = nn.LSTM(config.channels, config.memory, batch_first=True, bidirectional=True)
        super().__init__(config, both_ways, 2 * config.memory)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, bands, frames, channels) to the same shape."""
        y, _ = self.time(self.time_norm(x).flatten(0, 1))
        return self.within_frames(x + self.time_out(y).unflatten(0, (x.shape[0], -1)))
