"""A released ONNX graph as a torch module, so that `torch.export` can make a program of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper
from torch import Tensor, nn

from train.errors import TrainingError

Value: TypeAlias = Any
"""Tensor, number, or list of integers; the shapes in a graph are computed as lists."""
Attributes: TypeAlias = Mapping[str, Any]


class OnnxGraph(nn.Module):
    """Torch module that computes the outputs of an ONNX graph from its inputs.

    Parameters
    ----------
    path : Path
        Path of a ``model.onnx`` with no other operations than those that `train.export.to_onnx` makes.

    Raises
    ------
    TrainingError
        If there are other operations; the text names them.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        graph = onnx.load(path).graph
        unknown = sorted({node.op_type for node in graph.node} - OPERATIONS.keys())
        if unknown:
            raise TrainingError(
                f"{path} has the operations {', '.join(unknown)}; expected those of `train.export.to_onnx`"
            )
        self._constants: dict[str, list[int] | float] = {}
        self._weights: dict[str, str] = {}
        for number, weight in enumerate(graph.initializer):
            values = numpy_helper.to_array(weight)
            if values.dtype.kind == "i":  # axes, sizes and indices
                self._constants[weight.name] = values.reshape(-1).tolist()
            elif not values.ndim:
                self._constants[weight.name] = float(values)
            else:
                self._weights[weight.name] = f"weight_{number}"
                self.register_buffer(f"weight_{number}", torch.from_numpy(values.copy()))
        self._inputs = [node.name for node in graph.input if node.name not in self._weights]
        self._outputs = [node.name for node in graph.output]
        self._steps = [
            (
                OPERATIONS[node.op_type],
                {a.name: helper.get_attribute_value(a) for a in node.attribute},
                list(node.input),
                list(node.output),
            )
            for node in graph.node
        ]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the graph's outputs for its inputs, both in the order of the graph."""
        values: dict[str, Value] = {"": None, **self._constants}
        values |= {name: self.get_buffer(buffer) for name, buffer in self._weights.items()}
        values |= dict(zip(self._inputs, inputs, strict=True))
        for operation, attributes, names, outputs in self._steps:
            found = operation(attributes, *(values[name] for name in names))
            values |= zip(outputs, found if isinstance(found, tuple) else (found,), strict=True)
        return tuple(values[name] for name in self._outputs)


def _average_pool(attributes: Attributes, x: Tensor) -> Tensor:
    (steps,) = attributes["kernel_shape"]
    return F.avg_pool1d(x, steps, attributes["strides"][0])


def _concat(attributes: Attributes, *parts: Value) -> Value:
    if isinstance(parts[0], list):
        return [number for part in parts for number in part]
    return torch.cat(parts, dim=attributes["axis"])


def _conv(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    before, after = attributes["pads"][:2], attributes["pads"][2:]
    if before != after:
        raise TrainingError(
            f"a convolution is padded by {before} and {after}; expected as much on either side"
        )
    strides, dilations, groups = attributes["strides"], attributes["dilations"], attributes["group"]
    return F.conv2d(x, weight, bias, tuple(strides), tuple(before), tuple(dilations), groups)


def _gather(attributes: Attributes, x: Tensor, places: list[int]) -> Tensor:
    return x.index_select(attributes["axis"], torch.tensor(places, device=x.device))


def _gemm(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.linear(x, weight if attributes.get("transB") else weight.T, bias)


def _layer_norm(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.layer_norm(x, weight.shape, weight, bias, attributes["epsilon"])


def _lstm(
    _attributes: Attributes, x: Tensor, w: Tensor, r: Tensor, b: Tensor, _: None, h: Tensor, c: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute ONNX's forward LSTM, whose gates are input, output, forget, cell; `x` is (steps, batch, size)."""
    bias = b[0].reshape(2, -1).sum(0)
    hidden, cell, given = h[0], c[0], []
    for step in x.unbind(0):
        gates = (step @ w[0].T + hidden @ r[0].T + bias).chunk(4, dim=1)
        opened, shown, kept = (torch.sigmoid(gate) for gate in gates[:3])
        cell = kept * cell + opened * torch.tanh(gates[3])
        hidden = shown * torch.tanh(cell)
        given.append(hidden)
    return torch.stack(given).unsqueeze(1), hidden.unsqueeze(0), cell.unsqueeze(0)


def _multiply(_: Attributes, a: Value, b: Value) -> Value:
    return [m * n for m, n in zip(a, b, strict=True)] if isinstance(a, list) else a * b


def _pad(attributes: Attributes, x: Tensor, pads: list[int], value: float) -> Tensor:
    if attributes["mode"] != b"constant":
        raise TrainingError(f"a pad has the mode {attributes['mode']!r}; expected constant")
    sides = zip(pads[: x.dim()][::-1], pads[x.dim() :][::-1], strict=True)
    return F.pad(x, [number for side in sides for number in side], value=value)


def _reshape(_: Attributes, x: Value, shape: list[int]) -> Value:
    if isinstance(x, list):
        return x
    return x.reshape(
        [x.shape[n] if isinstance(size, int) and size == 0 else size for n, size in enumerate(shape)]
    )


def _slice(
    _: Attributes, x: Tensor, starts: list[int], ends: list[int], axes: list[int], steps: Sequence[int] = (1,)
) -> Tensor:
    for start, end, axis, step in zip(starts, ends, axes, (*steps, *[1] * len(axes)), strict=False):
        # ONNX writes "to the end" as a very large number.
        x = x[(slice(None),) * (axis % x.dim()) + (slice(start, None if end > 2**31 else end, step),)]
    return x


def _split(attributes: Attributes, x: Tensor, sizes: list[int] | None = None) -> tuple[Tensor, ...]:
    if sizes is None:
        return x.chunk(attributes["num_outputs"], dim=attributes["axis"])
    parts: tuple[Tensor, ...] = x.split(sizes, dim=attributes["axis"])
    return parts


def _squeeze(_: Attributes, x: Value, axes: list[int] | None = None) -> Value:
    if isinstance(x, list):
        return x
    return x.squeeze(tuple(axes)) if axes else x.squeeze()


def _unsqueeze(_: Attributes, x: Value, axes: list[int]) -> Value:
    if isinstance(x, list):
        return x
    for axis in sorted(axes):
        x = x.unsqueeze(axis)
    return x


def _reduced(reduce: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda attributes, x, axes: reduce(x, dim=axes, keepdim=bool(attributes["keepdims"]))


OPERATIONS: Mapping[str, Callable[..., Value]] = {
    "Add": lambda _, a, b: a + b,
    "AveragePool": _average_pool,
    "Clip": lambda _, x, low=None, high=None: torch.clamp(x, low, high),
    "Concat": _concat,
    "Conv": _conv,
    "Div": lambda _, a, b: a / b,
    "Erf": lambda _, x: torch.erf(x),
    "Gather": _gather,
    "Gemm": _gemm,
    "LSTM": _lstm,
    "LayerNormalization": _layer_norm,
    "Log": lambda _, x: torch.log(x),
    "MatMul": lambda _, a, b: a @ b,
    "Mul": _multiply,
    "Pad": _pad,
    "Pow": lambda _, a, b: a**b,
    "Reciprocal": lambda _, x: 1 / x,
    "ReduceMax": _reduced(torch.amax),
    "ReduceMean": _reduced(torch.mean),
    "ReduceSum": _reduced(torch.sum),
    "Relu": lambda _, x: torch.relu(x),
    "Reshape": _reshape,
    "Shape": lambda a, x: list(x.shape[a.get("start", 0) : a.get("end")]),
    "Sigmoid": lambda _, x: torch.sigmoid(x),
    "Slice": _slice,
    "Softmax": lambda a, x: torch.softmax(x, dim=a["axis"]),
    "Split": _split,
    "Sqrt": lambda _, x: torch.sqrt(x),
    "Squeeze": _squeeze,
    "Sub": lambda _, a, b: a - b,
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "Unsqueeze": _unsqueeze,
    "Where": lambda _, chosen, a, b: torch.where(chosen, a, b),
}
"""Operations by ONNX's names, as in operator set 18; each takes the attributes and the inputs."""
