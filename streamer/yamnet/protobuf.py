"""Write and read the parts of protobuf messages, without protobuf (protobuf.dev, "Encoding")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Fields: TypeAlias = dict[int, list[int | bytes]]
"""Fields of a message by number: whole numbers, and bytes of everything else."""

_NUMBER, _LENGTH_DELIMITED = 0, 2
"""Wire types."""
_SIZES = {1: 8, 5: 4}
"""Bytes of a field by the other wire types."""


class MessageError(ValueError):
    """Raised if bytes are no message, or a field is of another type than expected."""


def varint(value: int) -> bytes:
    """Return a varint: seven bits a byte, least significant first; the top bit means that more bytes follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number_field(number: int, value: int) -> bytes:
    """Return a field that is a whole number."""
    return varint(number << 3 | _NUMBER) + varint(value)


def bytes_field(number: int, content: bytes) -> bytes:
    """Return a length-delimited field: a text, bytes or a message."""
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(len(content)) + content


def read_varint(content: bytes, at: int) -> tuple[int, int]:
    """Return the varint at a place, and the place after it.

    Raises
    ------
    MessageError
        If it is cut short or too long.
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise MessageError("it ends within a number")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise MessageError("a number of more than ten bytes")


def read_fields(message: int | bytes) -> Fields:
    """Return the fields of a message.

    Raises
    ------
    MessageError
        If it is no message.
    """
    content, fields, at = as_bytes(message), Fields(), 0
    while at < len(content):
        tag, at = read_varint(content, at)
        wire_type = tag & 7
        value: int | bytes
        if wire_type == _NUMBER:
            value, at = read_varint(content, at)
        else:
            size, at = _size(content, at, wire_type)
            value = content[at : at + size]
            if len(value) < size:
                raise MessageError(f"a field of {size} bytes where {len(value)} are left")
            at += size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def number_in(fields: Mapping[int, list[int | bytes]], number: int) -> int:
    """Return a field that is a whole number; 0 if it is absent, as protobuf means it."""
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        raise MessageError(f"field {number} is no whole number")
    return value


def bytes_in(fields: Mapping[int, list[int | bytes]], number: int) -> bytes:
    """Return a field that is a text, bytes or a message; none if it is absent."""
    return as_bytes(fields.get(number, [b""])[-1])


def as_bytes(value: int | bytes) -> bytes:
    """Return the value of a field that is not a whole number."""
    if not isinstance(value, bytes):
        raise MessageError(f"{value} where a message was expected")
    return value


def _size(content: bytes, at: int, wire_type: int) -> tuple[int, int]:
    """Return the size of a field that is no whole number, and the place where it begins."""
    if wire_type == _LENGTH_DELIMITED:
        return read_varint(content, at)
    if wire_type not in _SIZES:
        raise MessageError(f"a field of the wire type {wire_type}")
    return _SIZES[wire_type], at
