"""Find the sound in a CAF (Apple's Core Audio Format)."""

from __future__ import annotations

import struct

from streamer.sources.formats.containers.kind import container_kind
from streamer.sources.formats.containers.walk import (
    FileSteps,
    PcmFormat,
    Walk,
    is_chunk,
    pass_over,
    pcm_format,
    take,
)
from streamer.sources.formats.pcm_encoding import ENCODINGS


def walk_caf(walk: Walk) -> FileSteps:
    """Return a walk through a CAF, from its first byte on; it writes what it finds into `walk`."""
    yield from pass_over(8)

    def is_next(data: bytes) -> bool:
        return len(data) >= 12 and is_chunk(data[:4], struct.unpack(">q", data[4:12])[0])

    while True:
        head = yield from take(12, peek=True)
        if len(head) < 12 or container_kind(head):
            return len(head) == 12
        yield from pass_over(12)
        name, length = struct.unpack(">4sq", head)
        if name == b"data":
            yield from pass_over(4)  # the count of edits
            if not (yield from walk.sound(None if length < 0 else max(0, length - 4), is_next)):
                return False
            continue
        body = yield from take(max(0, min(length, 64)), peek=True)
        if name == b"desc":
            walk.found = _caf_format(body)
        yield from pass_over(max(0, length))


def _caf_format(body: bytes) -> PcmFormat | None:
    """Return the format that a chunk ``desc`` states (Apple's Core Audio Format); None if it is not plain PCM."""
    if len(body) < 32:
        return None
    rate_hz, kind, flags, packet_bytes, _, channels, bits = struct.unpack(">d4s5I", body[:32])
    if channels == 0 or packet_bytes != channels * bits // 8:
        return None
    end = "le" if flags & 2 else "be"
    names = {b"ulaw": "mulaw", b"alaw": "alaw"}
    if kind == b"lpcm":
        names[kind] = "s8" if bits == 8 else f"{'f' if flags & 1 else 's'}{bits}{end}"
    name = names.get(kind)
    return pcm_format(round(rate_hz), channels, name if name in ENCODINGS else None)
