"""Read how many frames the header of a compressed file announces, and say if fewer came."""

from __future__ import annotations

import struct

from streamer.sources.formats.mp3_tag import LONGEST_PADDING_FRAMES, mp3_frames

FLAC_UNKNOWN = (0, (1 << 36) - 1)
"""Numbers in the header of a FLAC that mean that its writer did not know: that of RFC 9639, and all bits set."""


def announced_frames(head: bytes) -> int | None:
    """Return the number of frames that a file announces; None if it does not, or is not of these kinds.

    Parameters
    ----------
    head : bytes
        First bytes of a FLAC (RFC 9639, 8.2), a WavPack (its Binary File / Block Format), a TTA, or an MP3 with a tag
        of LAME.
    """
    frames = 0
    if head[:1] == b"\xff":
        return mp3_frames(head)
    if head[:4] == b"fLaC" and len(head) >= 26:
        frames = int.from_bytes(head[18:26], "big") & (1 << 36) - 1
        frames = 0 if frames in FLAC_UNKNOWN else frames
    elif head[:4] == b"wvpk" and len(head) >= 16:
        frames = struct.unpack("<I", head[12:16])[0]
        frames = 0 if frames == 0xFFFFFFFF else frames
    elif head[:4] == b"TTA1" and len(head) >= 18:
        frames = struct.unpack("<I", head[14:18])[0]
    return frames or None


def rounding(head: bytes) -> int:
    """Return by how many frames the number that a header announces may be wrong for a file that is whole.

    Parameters
    ----------
    head : bytes
        As of `announced_frames`. Only encoders of MP3 round, to whole MPEG frames.
    """
    return LONGEST_PADDING_FRAMES if head[:1] == b"\xff" else 0


def shortness(name: str, announced: int | None, frames: int, rounded: int = 0) -> str | None:
    """Return in words that less sound came than a header announces; None if all came.

    Parameters
    ----------
    name : str
        Name of the source in messages.
    announced : int or None
        Number of frames that the header announces; None if it does not.
    frames : int
        Number of frames that came.
    rounded : int
        Number of frames that may be missing from a whole file, as `rounding` returns it.
    """
    if announced is None or frames + rounded >= announced:
        return None
    return f"{name} is cut short (it announces {announced} frames): {frames} frames are read"
