"""An LSTM and a GRU over time that carry their states and can be exported for any number of steps.

`torch.export` unrolls recurrent layers to one fixed number of steps. So while a model is exported the layer is one
operation, `streamer::lstm` or `streamer::gru`, for which the exporter writes ONNX's own LSTM or GRU.
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
        self.lstm = nn.LSTM(width, units)
        with torch.no_grad():  # a forget bias of 1 eases learning (Jozefowicz et al. 2015)
            self.lstm.get_parameter("bias_hh_l0")[units : 2 * units] = 1.0

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the LSTM's output for each step, and its hidden and cell state after the last step.

        Parameters
        ----------
        x : Tensor, shape (steps, rows, width)
        hidden, cell : Tensor, shape (rows, units)
            State after the steps before; zeros at a start.

        Returns
        -------
        y : Tensor, shape (steps, rows, units)
        hidden, cell : Tensor, shape (rows, units)
            State after the last step.
        """
        if torch.compiler.is_exporting():
            exported: tuple[Tensor, Tensor, Tensor] = exported_lstm(x, hidden, cell, *_weights(self.lstm))
            return exported
        y, (hidden, cell) = self.lstm(x, (hidden.unsqueeze(0), cell.unsqueeze(0)))
        return y, hidden.squeeze(0), cell.squeeze(0)


class Gru(nn.Module):
    """One layer of gated recurrent units over time, in one direction (Cho et al. 2014).

    Parameters
    ----------
    width, units : int
        Numbers in a step of the input and of the output.
    """

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width, units)

    def forward(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return the GRU's output for each step, and its state after the last step.

        Parameters
        ----------
        x : Tensor, shape (steps, rows, width)
        hidden : Tensor, shape (rows, units)
            State after the steps before; zeros at a start.

        Returns
        -------
        y : Tensor, shape (steps, rows, units)
        hidden : Tensor, shape (rows, units)
            State after the last step.
        """
        if torch.compiler.is_exporting():
            exported: tuple[Tensor, Tensor] = exported_gru(x, hidden, *_weights(self.gru))
            return exported
        y, hidden = self.gru(x, hidden.unsqueeze(0))
        return y, hidden.squeeze(0)


def _weights(layer: nn.Module) -> list[Tensor]:
    """Return the weights of the input and of the state of a layer, then the biases of both."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return [layer.get_parameter(name) for name in names]


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
    y, hidden, cell = torch.lstm(x, before, weights, True, 1, 0.0, False, False, False)
    return y, hidden.squeeze(0), cell.squeeze(0)


@exported_lstm.register_fake
def _(x: Tensor, hidden: Tensor, cell: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    y = x.new_empty(x.shape[0], x.shape[1], hidden.shape[1])
    return y, torch.empty_like(hidden), torch.empty_like(cell)


@torch.library.custom_op("streamer::gru", mutates_args=())
def exported_gru(
    x: Tensor, hidden: Tensor, weight_in: Tensor, weight: Tensor, bias_in: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Return output and state of a one-layer GRU, computed as a single operation.

    Weights and biases are those of `torch.nn.GRU`, and shapes those of `Gru.forward`. The exporter writes this
    operation as ONNX's own GRU.
    """
    weights = [weight_in, weight, bias_in, bias]
    y, hidden = torch.gru(x, hidden.unsqueeze(0), weights, True, 1, 0.0, False, False, False)
    return y, hidden.squeeze(0)


@exported_gru.register_fake
def _(x: Tensor, hidden: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
    return x.new_empty(x.shape[0], x.shape[1], hidden.shape[1]), torch.empty_like(hidden)
