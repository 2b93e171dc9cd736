"""Read the table of a TensorFlow checkpoint, which has LevelDB's format (leveldb/doc/table_format.md).

It has blocks of keys and values, each with a checksum, and a footer that says where the index of the blocks is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from streamer.errors import ModelError
from streamer.yamnet.crc32c import masked_crc32c
from streamer.yamnet.protobuf import MessageError, read_varint

DAMAGED = "the file is damaged or was cut short: fetch it again"
"""End of the errors about files that are not whole."""

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_TRAILER_BYTES = 5
"""Bytes after a block: its compression, and its checksum."""
_COMPRESSIONS = {0: "none", 1: "Snappy", 2: "zstd"}


def read_table(content: bytes, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a table, in order.

    Parameters
    ----------
    content : bytes
        The whole file.
    path : Path
        Its path, for the error text.

    Raises
    ------
    ModelError
        If the file is no table, is compressed, or a block does not have its checksum.
    MessageError
        If a block cannot be read.
    """
    footer = content[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ModelError(
            f"{path} does not end like a table ({len(content)} bytes); expected the index of a TensorFlow checkpoint: "
            "fetch it again"
        )
    at = 0
    for _ in range(2):  # the place of the block of metadata, which is empty here
        _, at = read_varint(footer, at)
    for _, handle in _block(content, footer[at:], path):
        yield from _block(content, handle, path)


def _block(content: bytes, handle: bytes, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of the block to which a handle points. Each key omits what it shares with the last."""
    offset, at = read_varint(handle, 0)
    size, _ = read_varint(handle, at)
    stop = offset + size
    trailer = content[stop : stop + _TRAILER_BYTES]
    if size < 4 or len(trailer) < _TRAILER_BYTES:
        raise MessageError(f"a block at {offset} of {size} bytes in {len(content)}")
    compression, checksum = struct.unpack("<BI", trailer)
    found = masked_crc32c(content[offset : stop + 1])
    if found != checksum:
        raise ModelError(
            f"the block at {offset} of {path} has the checksum {found:08x}; expected {checksum:08x}: {DAMAGED}"
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
        shared, at = read_varint(block, at)
        own, at = read_varint(block, at)
        length, at = read_varint(block, at)
        if shared > len(key) or at + own + length > end:
            raise MessageError(f"an entry at {offset + at} that exceeds its block")
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length
