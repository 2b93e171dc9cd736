"""Write a checkpoint as TensorFlow does, from the description of its format, with faults to order."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.yamnet.crc32c import masked_crc32c

TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bool": 10, "float16": 19, "uint8": 4}
MAGIC = 0xDB4775248B80FB57


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def entry(
    dtype: int, shape: tuple[int, ...], shard: int, offset: int, size: int, checksum: int, more: bytes = b""
) -> bytes:
    dims = b"".join(message(2, number(1, n)) for n in shape)
    fields = number(1, dtype) + message(2, dims) + number(3, shard) + number(4, offset) + number(5, size)
    return fields + varint(6 << 3 | 5) + struct.pack("<I", checksum) + more


def block(entries: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    """Make a block in which each key omits what it shares with the one before, with its trailer."""
    out, last = b"", b""
    for key, value in entries:
        shared = next((n for n, pair in enumerate(zip(key, last, strict=False)) if pair[0] != pair[1]), None)
        shared = min(len(key), len(last)) if shared is None else shared
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    out += struct.pack("<II", 0, 1)
    kind = bytes([compression])
    return out + kind + struct.pack("<I", masked_crc32c(out + kind))


def table(entries: list[tuple[bytes, bytes]], compression: int = 0, in_a_block: int = 4) -> bytes:
    """Make a table of several blocks, with its index and its footer."""
    out, index = b"", []
    for first in range(0, len(entries), in_a_block):
        part = entries[first : first + in_a_block]
        made = block(part, compression)
        index.append((part[-1][0], varint(len(out)) + varint(len(made) - 5)))
        out += made
    places = b""
    for made in (block([]), block(index)):
        places += varint(len(out)) + varint(len(made) - 5)
        out += made
    return out + places.ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def object_graph(names: Mapping[str, str]) -> bytes:
    """Make the message with the names of the variables, by key."""
    nodes = (
        message(2, message(1, b"VARIABLE_VALUE") + message(2, name.encode()) + message(3, key.encode()))
        for key, name in names.items()
    )
    return b"".join(message(1, message(1, number(1, 0)) + node) for node in nodes)


def write_checkpoint(
    prefix: Path,
    variables: Mapping[str, Array],
    *,
    shards: int = 1,
    compression: int = 0,
    header: bytes | None = None,
    with_names: bool = True,
    more: bytes = b"",
    change: Mapping[str, bytes] = {},
) -> None:
    """Write the two files of a checkpoint or more.

    Parameters
    ----------
    prefix : Path
    variables : mapping of str to array
    shards : int
        Files of tensors.
    compression : int
        What the table says of its blocks.
    header : bytes, optional
        In place of the table's own header.
    with_names : bool
        Whether a graph of objects names the variables, as in TensorFlow 2. Otherwise their keys are their names.
    more : bytes
        Put at the end of every entry.
    change : mapping of str to bytes
        Entries in place of those of variables.
    """
    prefix.parent.mkdir(parents=True, exist_ok=True)
    keys = {name: name for name in variables}
    if with_names:
        keys = {name: f"v/{n:03d}/.ATTRIBUTES/VARIABLE_VALUE" for n, name in enumerate(variables)}
    data, entries = [bytearray() for _ in range(shards)], {}
    for n, (name, array) in enumerate(variables.items()):
        raw, shard = np.ascontiguousarray(array).tobytes(), n % shards
        place = len(data[shard])
        data[shard] += raw
        kind = TYPES[str(array.dtype)]
        made = entry(kind, array.shape, shard, place, len(raw), masked_crc32c(raw), more)
        entries[keys[name].encode()] = change.get(name, made)
    if with_names:
        text = object_graph({key: name for name, key in keys.items()})
        length = masked_crc32c(struct.pack("<I", len(text)))
        whole = struct.pack("<II", len(text), length) + text
        raw = varint(len(text)) + struct.pack("<I", length) + text
        made = entry(7, (), 0, len(data[0]), len(raw), masked_crc32c(whole))
        data[0] += raw
        entries[b"_CHECKPOINTABLE_OBJECT_GRAPH"] = made
    own = number(1, shards) + message(3, number(1, 1)) if header is None else header
    rows = [(b"", own), *sorted(entries.items())]
    prefix.with_name(f"{prefix.name}.index").write_bytes(table(rows, compression))
    for n, content in enumerate(data):
        prefix.with_name(f"{prefix.name}.data-{n:05d}-of-{shards:05d}").write_bytes(content)
