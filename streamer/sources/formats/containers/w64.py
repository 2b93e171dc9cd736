"""Find the sound in a W64 (Sony's Wave64)."""

from __future__ import annotations

import struct

from streamer.sources.formats.containers.kind import container_kind
from streamer.sources.formats.containers.walk import FileSteps, Walk, pass_over, take
from streamer.sources.formats.containers.wav import wav_format

W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
"""Last 12 of the 16 bytes that name a chunk of a W64; the first four are letters."""


def walk_w64(walk: Walk) -> FileSteps:
    """Return a walk through a W64, from its first byte on; it writes what it finds into `walk`."""
    yield from pass_over(40)

    def is_next(data: bytes) -> bool:
        return data[4:16] == W64_TAIL

    while True:
        head = yield from take(24, peek=True)
        if len(head) < 24 or container_kind(head):
            return len(head) == 24
        yield from pass_over(24)
        length = max(0, struct.unpack("<Q", head[16:24])[0] - 24)
        if head[:16] == b"data" + W64_TAIL:
            if not (yield from walk.sound(length, is_next)):
                return False
            continue
        body = yield from take(min(length, 64), peek=True)
        if head[:16] == b"fmt " + W64_TAIL:
            walk.found = wav_format(body, "<")
        yield from pass_over(length + -length % 8)
