"""Write the tags that stand before and behind sound."""

from __future__ import annotations

import struct

import numpy as np

LYRICS = b"LYRICSBEGIN" + b"IND0000210" + b"LYR00011la la la la"


def id3v2(length: int = 500) -> bytes:
    """Return a tag of ID3v2 with `length` bytes of padding."""
    return _id3v2(bytes(length))


def id3v2_with_picture(length: int) -> bytes:
    """Return a tag of ID3v2 with a picture of `length` bytes, among which all values are."""
    picture = np.random.default_rng(1).integers(0, 256, length, np.uint8).tobytes()
    body = b"\0image/png\0\3\0" + picture
    return _id3v2(b"APIC" + _places(len(body)) + b"\0\0" + body)


def id3v1() -> bytes:
    return b"TAG" + b"name".ljust(125, b"\0")


def ape(has_header: bool = True) -> bytes:
    """Return a tag of APEv2 with one item."""
    item = struct.pack("<II", 5, 0) + b"Title\0hello"
    of_both = [2_000, len(item) + 32, 1]
    footer = struct.pack("<8s4I8x", b"APETAGEX", *of_both, 1 << 31 if has_header else 0)
    header = struct.pack("<8s4I8x", b"APETAGEX", *of_both, 1 << 31 | 1 << 29) if has_header else b""
    return header + item + footer


def lyrics3() -> bytes:
    return LYRICS + b"%06d" % len(LYRICS) + b"LYRICS200"


def noise(length: int) -> bytes:
    """Return bytes that mean nothing."""
    return np.random.default_rng(3).integers(0, 256, length, np.uint8).tobytes()


def _id3v2(body: bytes) -> bytes:
    return b"ID3\x04\0\0" + _places(len(body)) + body


def _places(length: int) -> bytes:
    return bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
