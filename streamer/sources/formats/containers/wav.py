"""Find the sound in a WAV, and in an RF64 or BW64, whose 64-bit length stands in a chunk of its own (EBU Tech 3306)."""

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

SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""Last 14 bytes of the GUID of a WAVE_FORMAT_EXTENSIBLE; the first two are the tag."""


def walk_wav(walk: Walk) -> FileSteps:
    """Return a walk through a WAV, RF64 or BW64, from its first byte on; it writes what it finds into `walk`."""
    head = yield from take(12)
    order = ">" if head[:4] == b"RIFX" else "<"
    length_of_rf64: int | None = None

    def is_next(data: bytes) -> bool:
        return len(data) >= 8 and is_chunk(data[:4], struct.unpack(f"{order}I", data[4:8])[0])

    while True:
        head = yield from take(8, peek=True)
        if len(head) < 8 or (yield from is_at_container()):
            return len(head) == 8
        yield from pass_over(8)
        name, length = struct.unpack(f"{order}4sI", head)
        if name == b"data":
            announced = length if length_of_rf64 is None or length != 0xFFFFFFFF else length_of_rf64
            if not (yield from walk.sound(announced, is_next, padded=True)):
                return False
            continue
        body = yield from take(min(length, 64), peek=True)
        if name == b"ds64" and len(body) >= 16:
            length_of_rf64 = struct.unpack("<Q", body[8:16])[0]
        if name == b"fmt ":
            walk.found = wav_format(body, order)
        yield from pass_over(length + length % 2)


def wav_format(body: bytes, order: str) -> PcmFormat | None:
    """Return the format that a chunk ``fmt`` states (Microsoft's WAVEFORMATEX); None if it is not plain PCM."""
    if len(body) < 16:
        return None
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack(f"{order}HHIIHH", body[:16])
    if tag == 0xFFFE and len(body) >= 40 and body[26:40] == SUBTYPE_TAIL:
        tag = struct.unpack(f"{order}H", body[24:26])[0]
    if channels == 0 or frame_bytes % channels:
        return None
    end, bits = ("be" if order == ">" else "le"), 8 * (frame_bytes // channels)
    names = {(1, 8): "u8", (6, 8): "alaw", (7, 8): "mulaw"}
    names |= {(1, wide): f"s{wide}{end}" for wide in (16, 24, 32)}
    names |= {(3, wide): f"f{wide}{end}" for wide in (32, 64)}
    return pcm_format(rate_hz, channels, names.get((tag, bits)))
