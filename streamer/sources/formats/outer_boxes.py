"""Walk through the outer boxes of an MP4 or QuickTime file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

BOX_HEADER_BYTES = 8
"""Length of a box's length and name, and so the length of the shortest box."""


class OuterBytes(Protocol):
    """Bytes that need not be in memory."""

    def __len__(self) -> int: ...

    def __getitem__(self, piece: slice, /) -> bytes: ...


def outer_boxes(content: OuterBytes) -> Iterator[tuple[int, bytes]]:
    """Yield the byte offset and the name of each outer box (ISO 14496-12, 4.2), as far as `content` goes."""
    at = 0
    while at + BOX_HEADER_BYTES <= len(content):
        yield at, content[at + 4 : at + 8]
        length = int.from_bytes(content[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(content[at + 8 : at + 16], "big")
        if length < BOX_HEADER_BYTES:
            break
        at += length
