"""Put weights into YAMNet's graph, which ships without them, without the onnx package.

Two protobuf messages that are written one behind the other are one message whose fields are merged, nested ones
included (protobuf.dev, "Encoding", last section). So the graph becomes a whole model once a second message that holds
only its tensors is appended; the first message need not be parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

import numpy as np

from streamer.arrays import Array
from streamer.yamnet.protobuf import bytes_field, number_field
from streamer.yamnet.weights import Weights

RELU_MAX, GATE_CLASSES = "network/relu_max", "gate/classes"
"""Tensors of the graph besides the network's weights: the upper limit of activations, and the classes in `y`."""

_MODEL_GRAPH, _GRAPH_INITIALIZER = 7, 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 7}
"""Field numbers and element types of onnx.proto3."""


def graph_with_weights(weights: Weights, class_names: tuple[str, ...]) -> bytes:
    """Return the bytes of a ``model.onnx`` whose ``y`` are the scores of some classes.

    Its inputs are ``x`` and ``state.0``. Its outputs are ``y`` (batch, steps, class_names), ``next_state.0``,
    ``scores`` (batch, steps, 521) and ``embedding`` (batch, steps, 1024).
    """
    graph = (files("streamer") / "data" / "yamnet-graph.onnx").read_bytes()
    indices = np.array([weights.class_index(name) for name in class_names], np.int64)
    # Some fusions of a convolution with its activation do not accept infinity as the limit.
    largest = min(weights.relu_max, float(np.finfo(np.float32).max))
    return graph + tensors_message(
        {**weights.arrays, RELU_MAX: np.array(largest, np.float32), GATE_CLASSES: indices}
    )


def tensors_message(tensors: Mapping[str, Array]) -> bytes:
    """Return a ModelProto that holds only a graph with these initializers (float32 or int64)."""
    initializers = (
        bytes_field(_GRAPH_INITIALIZER, _tensor(name, np.asarray(a))) for name, a in tensors.items()
    )
    return bytes_field(_MODEL_GRAPH, b"".join(initializers))


def _tensor(name: str, array: Array) -> bytes:
    dims = b"".join(number_field(_TENSOR_DIMS, size) for size in array.shape)
    element_type = number_field(_TENSOR_TYPE, _TYPES[array.dtype])
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return dims + element_type + bytes_field(_TENSOR_NAME, name.encode()) + bytes_field(_TENSOR_RAW, raw)
