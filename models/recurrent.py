"""An LSTM over time that carries its state and can be exported for any number of steps.

`torch.export` unrolls recurrent layers to one fixed number of steps. So while a model is exported the layer is one
operation, `streamer::lstm`, for which the exporter writes ONNX's own LSTM.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Lstm(nn.Module):
    """One layer of long short-term memory over time, in one direction (Hochreiter and Schmidhuber 1997).

    Parameters
    ----------
    width, units : int
        Numbers in a step of the input and of the output.
    """

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, units, batch_first=True)
        with torch.no_grad():  # a forget bias of 1 eases learning (Jozefowicz et al. 2015)
            self.lstm.get_parameter("bias_hh_l0")[units : 2 * units] = 1.0

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the LSTM's output for each step, and its hidden and cell state after the last step.

        Parameters
        ----------
        x : Tensor, shape (rows, steps, width)
        hidden, cell : Tensor, shape (rows, units)
            State after the steps before; zeros at a start.

        Returns
        -------
        y : Tensor, shape (rows, steps, units)
        hidden, cell : Tensor, shape (rows, units)
            State after the last step.
        """
        if torch.compiler.is_exporting():
            exported: tuple[Tensor, Tensor, Tensor] = exported_lstm(x, hidden, cell, *self._weights())
            return exported
        y, (hidden, cell) = self.lstm(x, (hidden.unsqueeze(0), cell.unsqueeze(0)))
        return y, hidden.squeeze(0), cell.squeeze(0)

    def _weights(self) -> list[Tensor]:
        """Return the weights of the input and of the state, then the biases of both."""
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        return [self.lstm.get_parameter(name) for name in names]


@torch.library.custom_op("streamer::lstm", mutates_args=())
def exported_lstm(
    x: Tensor, hidden: Tensor, cell: Tensor, weight_in: Tensor, weight: Tensor, bias_in: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return output, hidden state and cell state of a one-layer LSTM, computed as a single operation.

    Weights and biases are those of `torch.nn.LSTM`, and shapes those of `Lstm.forward`. The exporter writes this
    operation as ONNX's own LSTM.
    """
    weights = [weight_in, weight, bias_in, bias]
    before = [hidden.unsqueeze(0), cell.unsqueeze(0)]
    y, hidden, cell = torch.lstm(x, before, weights, True, 1, 0.0, False, False, True)
    return y, hidden.squeeze(0), cell.squeeze(0)


@exported_lstm.register_fake
def _(x: Tensor, hidden: Tensor, cell: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    y = x.new_empty(x.shape[0], x.shape[1], hidden.shape[1])
    return y, torch.empty_like(hidden), torch.empty_like(cell)
