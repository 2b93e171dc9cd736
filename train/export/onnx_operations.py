"""Translations of torch operations to ONNX, for the exporter: of the project's own, and where others run faster."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from onnxscript import opset18 as op

import models.recurrent  # noqa: F401 - it registers the operations
from streamer.errors import ModelError

LSTM_GATES = (0, 3, 1, 2)
"""Positions of ONNX's gates of an LSTM (input, output, forget, cell) among torch's (input, forget, cell, output)."""
GRU_GATES = (1, 0, 2)
"""Positions of ONNX's gates of a GRU (update, reset, new) among torch's (reset, update, new)."""


def translations() -> Mapping[Callable[..., Any], Callable[..., Any]]:
    """Return the function that translates each torch operation that the exporter is not to translate."""
    return {
        torch.ops.streamer.lstm.default: _lstm,
        torch.ops.streamer.gru.default: _gru,
        torch.ops.aten.gelu.default: _gelu,
    }


def _gelu(x: Any, approximate: str = "none") -> Any:
    """Write a GELU in the order of factors that ONNX Runtime knows; it then computes the GELU as one operator."""
    if approximate != "none":
        raise ModelError(f"a GELU is approximated by {approximate}; expected none: use torch's exact one")
    return op.Mul(op.Mul(x, 0.5), op.Add(op.Erf(op.Div(x, math.sqrt(2.0))), 1.0))


def _lstm(x: Any, hidden: Any, cell: Any, *weights: Any) -> tuple[Any, Any, Any]:
    units = weights[1].shape[1]
    before = _with_direction(hidden, units), _with_direction(cell, units)
    y, hidden, cell = op.LSTM(x, *_ordered(weights, LSTM_GATES), None, *before, hidden_size=units)
    return _of_one_direction(y, units), _without_direction(hidden, units), _without_direction(cell, units)


def _gru(x: Any, hidden: Any, *weights: Any) -> tuple[Any, Any]:
    units = weights[1].shape[1]
    before = _with_direction(hidden, units)
    # Torch applies the reset gate after the product with the state.
    y, hidden = op.GRU(
        x, *_ordered(weights, GRU_GATES), None, before, hidden_size=units, linear_before_reset=1
    )
    return _of_one_direction(y, units), _without_direction(hidden, units)


# ONNX has an axis of one direction more than torch. Reshapes add and remove it, because the optimiser joins them with
# the reshapes before and after them, which it would not do with `Unsqueeze` and `Squeeze`.
def _with_direction(state: Any, units: int) -> Any:
    """Map (rows, units) to (directions, rows, units)."""
    return op.Reshape(state, op.Constant(value_ints=[1, -1, units]))


def _without_direction(state: Any, units: int) -> Any:
    """Map (directions, rows, units) to (rows, units)."""
    return op.Reshape(state, op.Constant(value_ints=[-1, units]))


def _of_one_direction(y: Any, units: int) -> Any:
    """Map (steps, directions, rows, units) to (steps, rows, units); a 0 keeps the size."""
    return op.Reshape(y, op.Constant(value_ints=[0, -1, units]))


def _ordered(weights: Sequence[Any], gates: Sequence[int]) -> tuple[Any, Any, Any]:
    """Arrange torch's weights of input and state and both biases as ONNX does, for one direction."""
    weight_in, weight, bias_in, bias = (_in_order(each, gates) for each in weights)
    both = op.Concat(bias_in, bias, axis=0)
    return op.Unsqueeze(weight_in, [0]), op.Unsqueeze(weight, [0]), op.Unsqueeze(both, [0])


def _in_order(weights: Any, gates: Sequence[int]) -> Any:
    units = weights.shape[0] // len(gates)
    return op.Concat(*(op.Slice(weights, [n * units], [(n + 1) * units], [0]) for n in gates), axis=0)
