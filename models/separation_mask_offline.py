"""The separation network without causality: it shows by how much waiting for the whole sound would help."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers import TorchState
from models.separation_mask import BandLayers, Mask, MaskConfig
from models.spectra import QUIET


class OfflineMask(Mask):
    """Variant of `models.separation_mask.Mask` whose LSTMs run over time in both directions, for comparison.

    It takes a whole sound at once and carries no state.

    Parameters
    ----------
    config : MaskConfig
        Sizes; `memory` counts each direction, and `level_frames` has no effect: the whole sound gives the level.
    """

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.blocks = nn.ModuleList(_OfflineBlock(config) for _ in range(config.blocks))
        self.state_shapes = ()

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return what `models.separation_mask.Mask.forward` returns, from a whole sound, and an empty state.

        Raises
        ------
        ValueError
            If a state is given.
        """
        if state:
            raise ValueError(
                f"got a state of {len(state)} tensors; expected none: this network does not step"
            )
        power = x.square().mean((1, 2), keepdim=True)
        spectra = x * torch.rsqrt(power.clamp(min=QUIET))
        x = self._encode(spectra)
        for block in self.blocks:
            x = block(x)
        nothing = x.new_zeros(x.shape[0], self.config.voice_memory)
        return self._estimate(spectra, x, nothing, nothing)[0], ()


class _OfflineBlock(BandLayers):
    """Block whose LSTM runs in both directions."""

    def __init__(self, config: MaskConfig) -> None:
        both_ways = nn.LSTM(config.channels, config.memory, batch_first=True, bidirectional=True)
        super().__init__(config, both_ways, 2 * config.memory)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, bands, frames, channels) to the same shape."""
        y, _ = self.time(self.time_norm(x).flatten(0, 1))
        return self.within_frames(x + self.time_out(y).unflatten(0, (x.shape[0], -1)))
