"""A gated recurrent unit over time that carries its state, whole in training and in graphs of any length.

`torch.export` unrolls recurrent layers, to one fixed number of steps. So while a model is exported the layer is one
operation, `streamer::gru`, for which the exporter writes ONNX's own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """A GRU over time (Cho et al. 2014), one layer, in one direction.

    Parameters
    ----------
    width, units : int
        Numbers in a step of the input, and of the output.
    """

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width, units, batch_first=True)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Run over (rows, steps, width).

        Parameters
        ----------
        x : Tensor
        state : Tensor, shape (rows, units)

        Returns
        -------
        y : Tensor, shape (rows, steps, units)
        state : Tensor, shape (rows, units)
        """
        if torch.compiler.is_exporting():
            weights = self.gru.weight_ih_l0, self.gru.weight_hh_l0, self.gru.bias_ih_l0, self.gru.bias_hh_l0
            return exported_gru(x, state, *weights)
        y, after = self.gru(x, state.unsqueeze(0))
        return y, after.squeeze(0)


@torch.library.custom_op("streamer::gru", mutates_args=())
def exported_gru(
    x: Tensor, state: Tensor, weight_in: Tensor, weight: Tensor, bias_in: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """`Recurrent` as one operation; weights as of `torch.nn.GRU`."""
    weights = [weight_in, weight, bias_in, bias]
    y, after = torch.gru(x, state.unsqueeze(0), weights, True, 1, 0.0, False, False, True)
    return y, after.squeeze(0)


@exported_gru.register_fake
def _(x: Tensor, state: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
    return x.new_empty(x.shape[0], x.shape[1], state.shape[1]), torch.empty_like(state)
