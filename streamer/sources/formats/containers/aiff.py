"""Find the sound in an AIFF or AIFC."""

from __future__ import annotations

import struct

from streamer.sources.formats.containers.walk import (
    FileSteps,
    PcmFormat,
    Walk,
    is_at_container,
    is_chunk,
    pass_over,
    pcm_format,
    take,
)


def walk_aiff(walk: Walk) -> FileSteps:
    """Return a walk through an AIFF or AIFC, from its first byte on; it writes what it finds into `walk`."""
    head = yield from take(12)
    is_compressed = head[8:12] == b"AIFC"

    def is_next(data: bytes) -> bool:
        return len(data) >= 8 and is_chunk(data[:4], struct.unpack(">I", data[4:8])[0])

    while True:
        head = yield from take(8, peek=True)
        if len(head) < 8 or (yield from is_at_container()):
            return len(head) == 8
        yield from pass_over(8)
        name, length = struct.unpack(">4sI", head)
        if name == b"SSND":
            offset = struct.unpack(">I", (yield from take(8)).ljust(8, b"\0")[:4])[0]
            yield from pass_over(offset)
            if not (yield from walk.sound(max(0, length - 8 - offset), is_next, padded=True)):
                return False
            continue
        body = yield from take(min(length, 64), peek=True)
        if name == b"COMM":
            walk.found = _aiff_format(body, is_compressed)
        yield from pass_over(length + length % 2)


def _aiff_format(body: bytes, is_compressed: bool) -> PcmFormat | None:
    """Return the format that a chunk ``COMM`` states (Apple's AIFF-C of 1991); None if it is not plain PCM."""
    if len(body) < (22 if is_compressed else 18):
        return None
    channels, _, bits, exponent, mantissa = struct.unpack(">hIhHQ", body[:18])
    rate_hz = round(mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63))
    kind = body[18:22] if is_compressed else b"NONE"
    wide = 8 * ((bits + 7) // 8)
    names = {b"fl32": "f32be", b"FL32": "f32be", b"fl64": "f64be", b"FL64": "f64be"}
    names |= {b"ulaw": "mulaw", b"ULAW": "mulaw", b"alaw": "alaw", b"ALAW": "alaw", b"raw ": "u8"}
    names |= {
        b"NONE": f"s{wide}be",
        b"twos": f"s{wide}be",
        b"sowt": f"s{wide}le",
        b"in24": "s24be",
        b"in32": "s32be",
    }
    name = names.get(kind)
    return pcm_format(rate_hz, channels, {"s8be": "s8", "s8le": "s8"}.get(name or "", name))
