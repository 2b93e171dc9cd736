"""Read the variables of a TensorFlow checkpoint, or of a SavedModel, without TensorFlow.

A checkpoint is a table and one file or more with the bytes of the tensors (tensorflow/core/util/tensor_bundle). The
values of the table are small protobuf messages, ``BundleEntryProto``. The tensor with the key `OBJECT_GRAPH` is one
more message, ``TrackableObjectGraph``, which has the names of the variables.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.crc32c import masked_crc32c
from streamer.yamnet.leveldb_table import DAMAGED, read_table
from streamer.yamnet.protobuf import MessageError, bytes_in, number_in, read_fields, read_varint

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

MOST_SHARDS = 99_999
"""Most files of tensors that their names, which have five digits, allow."""

_STRING = 7
_TYPES: Mapping[int, str] = MappingProxyType({1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 10: "?", 19: "<f2"})
"""NumPy's names of TensorFlow's ``DataType``."""


@dataclass(frozen=True)
class _Entry:
    """Place and form of a tensor: ``BundleEntryProto``."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    is_sliced: bool


def read_variables(prefix: Path) -> dict[str, Array]:
    """Return the variables of a checkpoint by name, such as ``layer1/conv/kernel``.

    Parameters
    ----------
    prefix : Path
        The files without their endings: ``FOLDER/variables/variables`` of a SavedModel, whose table is
        ``variables.index``.

    Raises
    ------
    ModelError
        If a file is absent, has another layout, or does not have its checksum.
    """
    tensors = _Tensors.of(prefix.with_name(f"{prefix.name}.index"))
    names = tensors.variable_names()
    return {names[key]: tensors.array(key) for key in tensors.keys if key in names}


def read_tensors(table: Path) -> dict[str, Array]:
    """Return the tensors of numbers of a checkpoint by key, which in TensorFlow 1 is the name of the variable.

    Parameters
    ----------
    table : Path
        The table, ``NAME.index``, beside which the files of tensors lie. The name may be empty: ``.index``.

    Raises
    ------
    ModelError
        If a file is absent, has another layout, or does not have its checksum.
    """
    tensors = _Tensors.of(table)
    return {key: tensors.array(key) for key in tensors.keys if tensors.is_number(key)}


class _Tensors:
    """The tensors of a checkpoint, which lie in one file or more.

    Parameters
    ----------
    table : Path
        Table that the entries were read from.
    entries : mapping of str to _Entry
    files : list of Path
        Files that hold the bytes of the tensors, by the number of the shard.
    """

    def __init__(self, table: Path, entries: Mapping[str, _Entry], files: list[Path]) -> None:
        self._table = table
        self._entries = entries
        self._files = files
        self._contents = [_content(file) for file in files]

    @classmethod
    def of(cls, table: Path) -> _Tensors:
        """Read the table of a checkpoint, and the files of tensors beside it."""
        try:
            entries = dict(read_table(_content(table), table))
            header = read_fields(entries.pop(b"", b""))
            shards = number_in(header, 1)
            if not 1 <= shards <= MOST_SHARDS or number_in(header, 2):
                raise ModelError(
                    f"{table} says {shards} files of tensors, byte order {number_in(header, 2)}; expected 1 or some, "
                    "and 0 (least significant byte first): save the checkpoint by TensorFlow 2"
                )
            found = {key.decode(): _entry(value) for key, value in entries.items()}
        except (MessageError, UnicodeDecodeError) as error:
            raise ModelError(f"{table} is no checkpoint's table ({error}); {DAMAGED}") from error
        name = table.name.removesuffix(".index")
        files = [table.with_name(f"{name}.data-{n:05d}-of-{shards:05d}") for n in range(shards)]
        return cls(table, found, files)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all tensors, in the order of the table."""
        return tuple(self._entries)

    def is_number(self, key: str) -> bool:
        """Return whether a tensor holds numbers, and not texts."""
        return self._entries[key].dtype != _STRING

    def variable_names(self) -> dict[str, str]:
        """Return the name of each variable by its key in the table."""
        if OBJECT_GRAPH not in self._entries:
            raise ModelError(
                f"{self._table} has no {OBJECT_GRAPH}; expected a checkpoint of TensorFlow 2, as in the folder "
                "variables of a SavedModel"
            )
        names = {}
        try:
            for node in read_fields(self._text(OBJECT_GRAPH)).get(1, []):
                for attribute in read_fields(node).get(2, []):
                    parts = read_fields(attribute)
                    name, key = (bytes_in(parts, n).decode() for n in (2, 3))
                    names[key] = name
        except (MessageError, UnicodeDecodeError) as error:
            raise ModelError(
                f"{OBJECT_GRAPH} of {self._table} cannot be read ({error}); {DAMAGED}"
            ) from error
        return names

    def array(self, key: str) -> Array:
        """Return a tensor of numbers."""
        entry = self._entries[key]
        if entry.dtype not in _TYPES:
            raise ModelError(
                f"{key} of {self._table} has the type {entry.dtype}; expected one of TensorFlow's types "
                f"{', '.join(map(str, _TYPES))}: save the variables as float32"
            )
        dtype = np.dtype(_TYPES[entry.dtype])
        expected = math.prod(entry.shape) * dtype.itemsize
        if entry.size != expected:
            raise ModelError(
                f"{key} of {self._table} has {entry.size} bytes; expected {expected} for {dtype} {entry.shape}: "
                f"{DAMAGED}"
            )
        content = self._bytes(key)
        self._check(key, content)
        return np.frombuffer(content, dtype).reshape(entry.shape)

    def _text(self, key: str) -> bytes:
        """Return a tensor of one string: its length, the checksum of the length, and the bytes."""
        content = self._bytes(key)
        length, at = read_varint(content, 0)
        text = content[at + 4 :]
        if self._entries[key].dtype != _STRING or len(text) != length:
            raise MessageError(f"{len(text)} bytes, expected one text of {length}")
        # The checksum takes the length as four bytes, however it is stored.
        self._check(key, struct.pack("<I", length) + content[at:])
        return text

    def _bytes(self, key: str) -> bytes:
        entry = self._entries[key]
        if entry.is_sliced:
            raise ModelError(
                f"{key} of {self._table} is cut into slices; expected whole variables: save the checkpoint on one "
                "device"
            )
        if not 0 <= entry.shard < len(self._files):
            raise ModelError(
                f"{key} of {self._table} lies in file {entry.shard}; expected one of {len(self._files)}: {DAMAGED}"
            )
        content = self._contents[entry.shard]
        stop = entry.offset + entry.size
        if stop > len(content):
            raise ModelError(
                f"{self._files[entry.shard]} has {len(content)} bytes; expected {stop} or more, for {key}: {DAMAGED}"
            )
        return content[entry.offset : stop]

    def _check(self, key: str, content: bytes) -> None:
        entry = self._entries[key]
        found = masked_crc32c(content)
        if found != entry.checksum:
            raise ModelError(
                f"{key} in {self._files[entry.shard]} has the checksum {found:08x}; expected {entry.checksum:08x}: "
                f"{DAMAGED}"
            )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); expected a checkpoint of TensorFlow, a table and beside it its "
            "tensors, like variables.index and variables.data-00000-of-00001 in the folder variables of a SavedModel"
        ) from error


def _entry(message: bytes) -> _Entry:
    fields = read_fields(message)
    dimensions = read_fields(bytes_in(fields, 2)).get(2, [])
    shape = tuple(number_in(read_fields(dimension), 1) for dimension in dimensions)
    checksum = int.from_bytes(bytes_in(fields, 6), "little")
    dtype, shard, offset, size = (number_in(fields, n) for n in (1, 3, 4, 5))
    return _Entry(dtype, shape, shard, offset, size, checksum, 7 in fields)
