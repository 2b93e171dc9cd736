"""The separation network without causality: it shows by how much waiting for the whole sound would help."""

from __future__ import annotations

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
        loudness = x.square().mean((1, 2), keepdim=True)
        frames = x.shape[1]
        spectra, power = self._spectra(x / loudness.clamp(min=QUIET).sqrt())
        y = self._encode(spectra, power)
        for block in self.blocks:
            y = block(y, frames)
        nothing = x.new_zeros(len(x), self.config.voice_memory)
        return self._estimate(power, y, frames, nothing, nothing)[0], ()


class _OfflineBlock(BandLayers):
    """Block whose LSTM runs in both directions."""

    def __init__(self, config: MaskConfig) -> None:
        both_ways = nn.LSTM(config.channels, config.memory, bidirectional=True)
        super().__init__(config, both_ways, 2 * config.memory)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """Map (rows * bands, channels), where the `frames` are the outer axis of the rows, to the same shape."""
        y, _ = self.time(self.time_norm(x).reshape(frames, -1, x.shape[1]))
        return self.within_frames(x + self.time_out(y.flatten(0, 1)))
