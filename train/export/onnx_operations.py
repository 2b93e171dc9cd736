"""Translations of the project's own torch operations to ONNX, for the exporter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from onnxscript import opset18 as op

import models.recurrent  # noqa: F401 - it registers the operations

LSTM_GATES = (0, 3, 1, 2)
"""Positions of ONNX's gates of an LSTM (input, output, forget, cell) among torch's (input, forget, cell, output)."""
GRU_GATES = (1, 0, 2)
"""Positions of ONNX's gates of a GRU (update, reset, new) among torch's (reset, update, new)."""


def translations() -> Mapping[Callable[..., Any], Callable[..., Any]]:
    """Return the function that translates each of the project's torch operations."""
    return {torch.ops.streamer.lstm.default: _lstm, torch.ops.streamer.gru.default: _gru}


def _lstm(x: Any, hidden: Any, cell: Any, *weights: Any) -> tuple[Any, Any, Any]:
    units = weights[1].shape[1]
    before = op.Unsqueeze(hidden, [0]), op.Unsqueeze(cell, [0])
    ordered = _ordered(weights, LSTM_GATES)
    y, hidden, cell = op.LSTM(_time_first(x), *ordered, None, *before, hidden_size=units)
    return _rows_first(y), op.Squeeze(hidden, [0]), op.Squeeze(cell, [0])


def _gru(x: Any, hidden: Any, *weights: Any) -> tuple[Any, Any]:
    units = weights[1].shape[1]
    ordered, before = _ordered(weights, GRU_GATES), op.Unsqueeze(hidden, [0])
    # Torch applies the reset gate after the product with the state.
    y, hidden = op.GRU(_time_first(x), *ordered, None, before, hidden_size=units, linear_before_reset=1)
    return _rows_first(y), op.Squeeze(hidden, [0])


def _time_first(x: Any) -> Any:
    return op.Transpose(x, perm=[1, 0, 2])


def _rows_first(y: Any) -> Any:
    """Map (steps, directions, rows, units) to (rows, steps, units)."""
    return op.Transpose(op.Squeeze(y, [1]), perm=[1, 0, 2])


def _ordered(weights: Sequence[Any], gates: Sequence[int]) -> tuple[Any, Any, Any]:
    """Arrange torch's weights of input and state and both biases as ONNX does, for one direction."""
    weight_in, weight, bias_in, bias = (_in_order(each, gates) for each in weights)
    both = op.Concat(bias_in, bias, axis=0)
    return op.Unsqueeze(weight_in, [0]), op.Unsqueeze(weight, [0]), op.Unsqueeze(both, [0])


def _in_order(weights: Any, gates: Sequence[int]) -> Any:
    units = weights.shape[0] // len(gates)
    return op.Concat(*(op.Slice(weights, [n * units], [(n + 1) * units], [0]) for n in gates), axis=0)
