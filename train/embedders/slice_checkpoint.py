"""Read a checkpoint of TensorFlow's first format, one file without TensorFlow.

It is a table like that of newer checkpoints. The value with an empty key says what tensors there are; each other one
holds a tensor, or a slice of one (tensorflow/core/util/saved_tensor_slice.proto).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.leveldb_table import DAMAGED, read_table
from streamer.yamnet.protobuf import MessageError, as_bytes, bytes_in, number_in, read_fields

_FLOAT = 1
"""TensorFlow's number of the type float32."""
_FLOAT_VALUES = 5
"""Field of ``TensorProto`` that holds numbers of that type."""


def read_slices(path: Path) -> dict[str, Array]:
    """Return the tensors of float32 of a checkpoint by name, such as ``vggish/conv1/weights``; others are left out.

    Raises
    ------
    ModelError
        If the file cannot be read, has another layout or does not have its checksums, or a tensor is cut into slices.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); expected a checkpoint of TensorFlow in one file"
        ) from error
    try:
        shapes: dict[str, tuple[int, ...]] = {}
        found: dict[str, Array] = {}
        for key, value in read_table(content, path):
            message = read_fields(value)
            if not key:
                shapes = dict(_shapes(bytes_in(message, 1), path))
                continue
            saved = read_fields(bytes_in(message, 2))
            name = bytes_in(saved, 1).decode()
            if name in shapes:
                found[name] = _tensor(name, shapes[name], bytes_in(saved, 3), path)
    except (MessageError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is no checkpoint ({error}); {DAMAGED}") from error
    return found


def _shapes(meta: bytes, path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name and shape of each tensor of float32 that the table of contents lists."""
    for tensor in read_fields(meta).get(1, []):
        fields = read_fields(tensor)
        name = bytes_in(fields, 1).decode()
        if number_in(fields, 3) != _FLOAT:
            continue
        if len(fields.get(4, [])) > 1:
            raise ModelError(
                f"{name} of {path} is cut into {len(fields[4])} slices; expected whole tensors: save the checkpoint on "
                "one device"
            )
        dimensions = read_fields(bytes_in(fields, 2)).get(2, [])
        yield name, tuple(number_in(read_fields(dimension), 1) for dimension in dimensions)


def _tensor(name: str, shape: tuple[int, ...], message: bytes, path: Path) -> Array:
    values = b"".join(as_bytes(part) for part in read_fields(message).get(_FLOAT_VALUES, []))
    if len(values) != 4 * math.prod(shape):
        raise ModelError(
            f"{name} of {path} has {len(values)} bytes; expected {4 * math.prod(shape)} for float32 {shape}: {DAMAGED}"
        )
    return np.frombuffer(values, "<f4").reshape(shape)
