"""YAMNet's graph ships without its weights; this puts weights into it, without the onnx package.

A protobuf message that is cut in two and joined again is the same message, and fields inside parts of it are merged
(protobuf.dev, "Encoding", last section). So a model is whole once a second message with nothing but its tensors is
written behind the first: there is no need to understand the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

import numpy as np

from streamer.arrays import Array
from streamer.yamnet.weights import Weights

RELU_MAX, GATE_CLASSES = "network/relu_max", "gate/classes"
"""Tensors of the graph besides the network's arrays: where activations are cut, and which classes `y` gives."""

_MODEL_GRAPH, _GRAPH_INITIALIZER = 7, 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 7}
"""Numbers of fields and element types in onnx.proto3."""


def whole_graph(weights: Weights, class_names: tuple[str, ...]) -> bytes:
    """The content of a ``model.onnx`` that gives the scores of some classes.

    Its inputs are ``x`` and ``state.0``; its outputs ``y`` (batch, steps, class_names), ``next_state.0``, and
    besides them ``scores`` (batch, steps, 521) and ``embedding`` (batch, steps, 1024).
    """
    graph = (files("streamer") / "data" / "yamnet-graph.onnx").read_bytes()
    indices = np.array([weights.class_index(name) for name in class_names], np.int64)
    # Infinity is a number to the arithmetic, but not to every fusion of a convolution with its activation.
    largest = min(weights.relu_max, float(np.finfo(np.float32).max))
    return graph + tensors_message(
        {**weights.arrays, RELU_MAX: np.array(largest, np.float32), GATE_CLASSES: indices}
    )


def tensors_message(tensors: Mapping[str, Array]) -> bytes:
    """A ModelProto that has nothing but a graph with these initializers (float32 or int64)."""
    initializers = (_field(_GRAPH_INITIALIZER, _tensor(name, np.asarray(a))) for name, a in tensors.items())
    return _field(_MODEL_GRAPH, b"".join(initializers))


def _tensor(name: str, array: Array) -> bytes:
    dims = b"".join(_varint(_TENSOR_DIMS << 3) + _varint(size) for size in array.shape)
    element_type = _varint(_TENSOR_TYPE << 3) + _varint(_TYPES[array.dtype])
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return dims + element_type + _field(_TENSOR_NAME, name.encode()) + _field(_TENSOR_RAW, raw)


def _field(number: int, content: bytes) -> bytes:
    """A field that says its length."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, least significant first; the top bit says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
