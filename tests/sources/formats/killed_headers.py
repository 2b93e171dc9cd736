"""Write headers as recorders leave them that were killed, or that did not know the length."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

U32, U64 = 1 << 32, 1 << 64
FIRST = 2_048
"""Length of the first block in bytes, of 16-bit mono."""


def _put(content: bytes, at: int, form: str, *values: int) -> bytes:
    return content[:at] + struct.pack(form, *values) + content[at + struct.calcsize(form) :]


def _wav(content: bytes, riff: int, data: int) -> bytes:
    return _put(_put(content, 4, "<I", riff), content.index(b"data") + 4, "<I", data)


def _aiff(content: bytes, form: int, sound: int, frames: int) -> bytes:
    content = _put(_put(content, 4, ">I", form), content.index(b"SSND") + 4, ">I", sound)
    return _put(content, content.index(b"COMM") + 10, ">I", frames)


def _au(content: bytes, data: int) -> bytes:
    return _put(content, 8, ">I", data)


def _caf(content: bytes, data: int) -> bytes:
    return _put(content, content.index(b"data") + 4, ">q", data)


def _w64(content: bytes, riff: int, data: int) -> bytes:
    return _put(_put(content, 16, "<Q", riff), content.index(b"data\xf3\xac\xd3\x11") + 16, "<Q", data)


def _rf64(content: bytes, riff: int, data: int, frames: int) -> bytes:
    return _put(content, content.index(b"ds64") + 8, "<QQQ", riff, data, frames)


def _rf64_data(content: bytes, data: int) -> bytes:
    return _put(content, content.index(b"data") + 4, "<I", data)


def _flac(content: bytes, frames: int) -> bytes:
    first = int.from_bytes(content[18:26], "big") >> 36 << 36
    return _put(content, 18, ">Q", first | frames)


Header = tuple[str, Callable[..., bytes], Mapping[str, tuple[int, ...]]]

HEADERS: tuple[Header, ...] = (
    (
        "wav",
        _wav,
        {
            "nothing": (0, 0),
            "the header alone": (36, 0),
            "the first block": (36 + FIRST, FIRST),
            "ffmpeg into a pipe": (U32 - 1, U32 - 1),
            "sox into a pipe": (0x7FFFF024, 0x7FFFF000),
            "arecord": (0x80000024, 0x80000000),
            "arecord of endless": (0x7FFFFFFF, 0x7FFFFFFF - 36),
        },
    ),
    (
        "aiff",
        _aiff,
        {
            "nothing": (0, 0, 0),
            "the first block": (46 + FIRST, 8 + FIRST, FIRST // 2),
            "31 bits": (0x7FFFFFFF, 0x7FFFFFFF - 46, 0x3FFFFFFF),
            "32 bits": (U32 - 1, U32 - 1, U32 - 1),
        },
    ),
    (
        "au",
        _au,
        {"nothing": (0,), "the first block": (FIRST,), "31 bits": (0x7FFFFFFF,), "unknown": (U32 - 1,)},
    ),
    ("caf", _caf, {"nothing": (0,), "unknown": (-1,), "the first block": (4 + FIRST,)}),
    (
        "w64",
        _w64,
        {
            "nothing": (0, 0),
            "the header alone": (128, 24),
            "the first block": (128 + FIRST, 24 + FIRST),
            "64 bits": (U64 - 1, U64 - 1),
        },
    ),
    (
        "rf64",
        _rf64,
        {"nothing": (0, 0, 0), "the first block": (100 + FIRST, FIRST, 1_024), "64 bits": (U64 - 1,) * 3},
    ),
    ("rf64", _rf64_data, {"no data": (0,)}),
    ("flac", _flac, {"unknown": (0,)}),
)
"""Suffix, function that writes a header, and the values that are written by what they stand for."""
