"""Read the variables of a TensorFlow checkpoint, or of a SavedModel, without TensorFlow.

A checkpoint is a table and one file or more with the bytes of the tensors (tensorflow/core/util/tensor_bundle). The
table is LevelDB's: blocks of keys and values, each with a checksum, and a footer that says where the index of the
blocks is (leveldb/doc/table_format.md). Its values are small protobuf messages, ``BundleEntryProto``. The tensor with
the key `OBJECT_GRAPH` is one more message, ``TrackableObjectGraph``, which has the names of the variables.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.crc32c import masked_crc32c

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_BLOCK_TRAILER_BYTES = 5
"""Bytes after a block: its compression, and its checksum."""
_COMPRESSIONS = {0: "none", 1: "Snappy", 2: "zstd"}
_STRING = 7
_TYPES: Mapping[int, str] = MappingProxyType({1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 10: "?", 19: "<f2"})
"""NumPy's names of TensorFlow's ``DataType``."""
_AGAIN = "the file is damaged or was cut short: fetch it again"


class _MessageError(ValueError):
    """Raised if bytes are no protobuf message, or no block of a table."""


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
    table = prefix.with_name(f"{prefix.name}.index")
    try:
        entries = dict(_table(_content(table), table))
        header = _fields(entries.pop(b"", b""))
        shards = _number(header, 1)
        if shards < 1 or _number(header, 2):
            raise ModelError(
                f"{table} says {shards} files of tensors, byte order {_number(header, 2)}; expected 1 or more, and 0 "
                "(least significant byte first): save the checkpoint by TensorFlow 2"
            )
        found = {key.decode(): _entry(value) for key, value in entries.items()}
    except (_MessageError, UnicodeDecodeError) as error:
        raise ModelError(f"{table} is no checkpoint's table ({error}); {_AGAIN}") from error
    files = [prefix.with_name(f"{prefix.name}.data-{n:05d}-of-{shards:05d}") for n in range(shards)]
    tensors = _Tensors(table, found, files)
    names = tensors.variable_names()
    return {names[key]: tensors.array(key) for key in found if key in names}


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

    def variable_names(self) -> dict[str, str]:
        """Return the name of each variable by its key in the table."""
        if OBJECT_GRAPH not in self._entries:
            raise ModelError(
                f"{self._table} has no {OBJECT_GRAPH}; expected a checkpoint of TensorFlow 2, as in the folder "
                "variables of a SavedModel"
            )
        names = {}
        try:
            for node in _fields(self._text(OBJECT_GRAPH)).get(1, []):
                for attribute in _fields(_message(node)).get(2, []):
                    parts = _fields(_message(attribute))
                    name, key = (_message(parts.get(n, [b""])[0]).decode() for n in (2, 3))
                    names[key] = name
        except (_MessageError, UnicodeDecodeError) as error:
            raise ModelError(f"{OBJECT_GRAPH} of {self._table} cannot be read ({error}); {_AGAIN}") from error
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
                f"{_AGAIN}"
            )
        content = self._bytes(key)
        self._check(key, content)
        return np.frombuffer(content, dtype).reshape(entry.shape)

    def _text(self, key: str) -> bytes:
        """Return a tensor of one string: its length, the checksum of the length, and the bytes."""
        content = self._bytes(key)
        length, at = _varint(content, 0)
        text = content[at + 4 :]
        if self._entries[key].dtype != _STRING or len(text) != length:
            raise _MessageError(f"{len(text)} bytes, expected one text of {length}")
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
                f"{key} of {self._table} lies in file {entry.shard}; expected one of {len(self._files)}: {_AGAIN}"
            )
        content = self._contents[entry.shard]
        stop = entry.offset + entry.size
        if stop > len(content):
            raise ModelError(
                f"{self._files[entry.shard]} has {len(content)} bytes; expected {stop} or more, for {key}: {_AGAIN}"
            )
        return content[entry.offset : stop]

    def _check(self, key: str, content: bytes) -> None:
        entry = self._entries[key]
        found = masked_crc32c(content)
        if found != entry.checksum:
            raise ModelError(
                f"{key} in {self._files[entry.shard]} has the checksum {found:08x}; expected {entry.checksum:08x}: "
                f"{_AGAIN}"
            )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); expected the checkpoint of a SavedModel: the files "
            "variables.index and variables.data-00000-of-00001 in its folder variables"
        ) from error


def _table(content: bytes, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a table, in order."""
    footer = content[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ModelError(
            f"{path} does not end like a table ({len(content)} bytes); expected the index of a TensorFlow checkpoint: "
            "fetch it again"
        )
    at = 0
    for _ in range(2):  # the place of the block of metadata, which is empty here
        _, at = _varint(footer, at)
    for _, handle in _block(content, footer[at:], path):
        yield from _block(content, handle, path)


def _block(content: bytes, handle: bytes, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of the block to which a handle points. Each key omits what it shares with the last."""
    offset, at = _varint(handle, 0)
    size, _ = _varint(handle, at)
    stop = offset + size
    trailer = content[stop : stop + _BLOCK_TRAILER_BYTES]
    if size < 4 or len(trailer) < _BLOCK_TRAILER_BYTES:
        raise _MessageError(f"a block at {offset} of {size} bytes in {len(content)}")
    compression, checksum = struct.unpack("<BI", trailer)
    found = masked_crc32c(content[offset : stop + 1])
    if found != checksum:
        raise ModelError(
            f"the block at {offset} of {path} has the checksum {found:08x}; expected {checksum:08x}: {_AGAIN}"
        )
    if compression:
        name = _COMPRESSIONS.get(compression, str(compression))
        raise ModelError(
            f"{path} is compressed ({name}); expected a table that is not, as TensorFlow writes it: save the model anew"
        )
    block = content[offset:stop]
    restarts = struct.unpack("<I", block[-4:])[0]
    end, at, key = len(block) - 4 - 4 * restarts, 0, b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(key) or at + own + length > end:
            raise _MessageError(f"an entry at {offset + at} that exceeds its block")
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _entry(message: bytes) -> _Entry:
    fields = _fields(message)
    dimensions = _fields(_message(fields.get(2, [b""])[0])).get(2, [])
    shape = tuple(_number(_fields(_message(dimension)), 1) for dimension in dimensions)
    checksum = struct.unpack("<I", _message(fields.get(6, [bytes(4)])[0]))[0]
    dtype, shard, offset, size = (_number(fields, n) for n in (1, 3, 4, 5))
    return _Entry(dtype, shape, shard, offset, size, checksum, 7 in fields)


def _fields(message: bytes) -> dict[int, list[int | bytes]]:
    """Return the fields of a protobuf message by number: whole numbers, and bytes of everything else."""
    fields: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value: int | bytes
        if tag & 7 == 0:
            value, at = _varint(message, at)
        else:
            if tag & 7 not in (1, 2, 5):
                raise _MessageError(f"a field of the wire type {tag & 7}")
            size, at = _varint(message, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value = message[at : at + size]
            if len(value) < size:
                raise _MessageError(f"a field of {size} bytes where {len(value)} are left")
            at += size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _number(fields: Mapping[int, list[int | bytes]], number: int) -> int:
    """Return a field that is a whole number; 0 if it is absent, as protobuf means it."""
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        raise _MessageError(f"field {number} is no whole number")
    return value


def _message(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise _MessageError(f"{value} where a message was expected")
    return value


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return the varint at a place, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise _MessageError("it ends within a number")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _MessageError("a number of more than ten bytes")
