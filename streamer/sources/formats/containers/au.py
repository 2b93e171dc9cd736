"""Find the sound in an AU (Sun and NeXT)."""

from __future__ import annotations

import struct

from streamer.sources.formats.containers.walk import FileSteps, Walk, pass_over, pcm_format, take


def walk_au(walk: Walk) -> FileSteps:
    """Return a walk through an AU file, from its first byte on; it writes what it finds into `walk`."""
    head = yield from take(24)
    if len(head) < 24:
        return False
    order, end = (">", "be") if head[:4] == b".snd" else ("<", "le")
    offset, length, code, rate_hz, channels = struct.unpack(f"{order}5I", head[4:])
    names = {
        1: "mulaw",
        2: "s8",
        3: f"s16{end}",
        4: f"s24{end}",
        5: f"s32{end}",
        6: f"f32{end}",
        7: f"f64{end}",
        27: "alaw",
    }
    walk.found = pcm_format(rate_hz, channels, names.get(code))
    yield from pass_over(max(0, offset - 24))
    return (yield from walk.sound(None if length == 0xFFFFFFFF else length, lambda data: False))  # noqa: ARG005
