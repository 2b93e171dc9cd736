"""How the exporter writes the project's own operations in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from onnxscript import opset18 as op

from models import recurrent


def gru(x: Any, state: Any, weight_in: Any, weight: Any, bias_in: Any, bias: Any) -> tuple[Any, Any]:
    """`models.recurrent.exported_gru` as ONNX's GRU, which has time first and its gates in another order."""
    both = op.Concat(_ordered(bias_in), _ordered(bias), axis=0)
    y, after = op.GRU(
        op.Transpose(x, perm=[1, 0, 2]),
        op.Unsqueeze(_ordered(weight_in), [0]),
        op.Unsqueeze(_ordered(weight), [0]),
        op.Unsqueeze(both, [0]),
        None,
        op.Unsqueeze(state, [0]),
        hidden_size=weight.shape[1],
        linear_before_reset=1,
    )
    return op.Transpose(op.Squeeze(y, [1]), perm=[1, 0, 2]), op.Squeeze(after, [0])


def _ordered(gates: Any) -> Any:
    """Torch's reset, update and new gate as ONNX's update, reset and new gate."""
    units = gates.shape[0] // 3
    reset, update, new = (op.Slice(gates, [n * units], [(n + 1) * units], [0]) for n in range(3))
    return op.Concat(update, reset, new, axis=0)


def translations() -> Mapping[Callable[..., Any], Callable[..., Any]]:
    """Torch's operations of this project, and what writes them."""
    assert recurrent.exported_gru is not None  # importing it is what makes torch know it
    return {torch.ops.streamer.gru.default: gru}
