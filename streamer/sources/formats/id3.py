"""Measure tags of ID3v2, which stand before the sound (id3.org, 2.4.0, 3.1)."""

from __future__ import annotations

ID3_HEADER_BYTES = 10
"""Length of the header of a tag."""


def id3_bytes(head: bytes) -> int:
    """Return the length of the tag that begins with `head`, in bytes; 0 if it is none."""
    if head[:3] != b"ID3" or len(head) < ID3_HEADER_BYTES:
        return 0
    length = ID3_HEADER_BYTES
    for place, shift in zip(head[6:10], (21, 14, 7, 0), strict=True):  # 4 times 7 bits
        length += (place & 0x7F) << shift
    return length + (ID3_HEADER_BYTES if head[5] & 0x10 else 0)
