"""Read how many frames the header of a compressed file announces."""

from __future__ import annotations

import struct


def announced_frames(head: bytes) -> int | None:
    """Return the number of frames that a file announces; None if it does not, or is not of these kinds.

    Parameters
    ----------
    head : bytes
        First bytes of a FLAC (RFC 9639, 8.2), a WavPack (its Binary File / Block Format) or a TTA.
    """
    frames = 0
    if head[:4] == b"fLaC" and len(head) >= 26:
        frames = int.from_bytes(head[18:26], "big") & (1 << 36) - 1
    elif head[:4] == b"wvpk" and len(head) >= 16:
        frames = struct.unpack("<I", head[12:16])[0]
        frames = 0 if frames == 0xFFFFFFFF else frames
    elif head[:4] == b"TTA1" and len(head) >= 18:
        frames = struct.unpack("<I", head[14:18])[0]
    return frames or None
