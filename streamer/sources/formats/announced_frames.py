"""Read how many frames the header of a compressed file announces, and say if fewer came."""

from __future__ import annotations

import struct

FLAC_UNKNOWN = (0, (1 << 36) - 1)
"""Numbers in the header of a FLAC that mean that its writer did not know: that of RFC 9639, and all bits set."""


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
        frames = 0 if frames in FLAC_UNKNOWN else frames
    elif head[:4] == b"wvpk" and len(head) >= 16:
        frames = struct.unpack("<I", head[12:16])[0]
        frames = 0 if frames == 0xFFFFFFFF else frames
    elif head[:4] == b"TTA1" and len(head) >= 18:
        frames = struct.unpack("<I", head[14:18])[0]
    return frames or None


def shortness(name: str, announced: int | None, frames: int) -> str | None:
    """Return in words that less sound came than a header announces; None if all came.

    Parameters
    ----------
    name : str
        Name of the source in messages.
    announced : int or None
        Number of frames that the header announces; None if it does not.
    frames : int
        Number of frames that came.
    """
    if announced is None or frames >= announced:
        return None
    return f"{name} is cut short (it announces {announced} frames): {frames} frames are read"
