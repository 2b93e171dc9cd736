"""Find how many frames a FLAC really holds, whatever its header announces, by the number of its last block."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass

SEARCHED_BYTES = (1 << 16, 1 << 21)
"""Lengths of the end of a file that are looked through; the second only if there is no block in the first."""

LONGEST_HEADER_BYTES = 16
"""Longest header of a block."""

_BLOCK = re.compile(rb"\xff[\xf8\xf9][\x10-\xff][\x00-\xaf]")
"""Beginning of a block's header: the mark, the strategy, the length with the rate, and the channels (RFC 9639, 9.1)."""


@dataclass(frozen=True)
class _Info:
    """Values of STREAMINFO (RFC 9639, 8.2): the length of the longest block in frames, and the number of channels."""

    block_frames: int
    channels: int


def frames_held(content: mmap.mmap, begin: int) -> int | None:
    """Return the number of frames up to the end of the last block; None if no block is found.

    Parameters
    ----------
    content : mmap
        A file.
    begin : int
        Byte offset of a FLAC in it, which goes on to the end of the file.
    """
    info = _Info(int.from_bytes(content[begin + 10 : begin + 12], "big"), (content[begin + 20] >> 1 & 7) + 1)
    for length in SEARCHED_BYTES:
        tail = content[max(begin, len(content) - length) :]
        for match in reversed(list(_BLOCK.finditer(tail))):
            stop = _stop_of(tail[match.start() : match.start() + LONGEST_HEADER_BYTES], info)
            if stop is not None:
                return stop
    return None


def _stop_of(header: bytes, info: _Info) -> int | None:
    """Return the frame at which a block ends; None if `header` is not that of a block of this file."""
    number_bytes = _number_bytes(header[4]) if len(header) > 4 else 0
    code, rate_code, at = header[2] >> 4, header[2] & 15, 4 + number_bytes
    length_bytes = {6: 1, 7: 2}.get(code, 0)
    end = at + length_bytes + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if number_bytes == 0 or end >= len(header) or _crc8(header[:end]) != header[end]:
        return None
    if length_bytes:
        frames = int.from_bytes(header[at : at + length_bytes], "big") + 1
    else:
        frames = 1 << code if code >= 8 else 192 if code == 1 else 144 << code
    stereo = header[3] >> 4 >= 8
    channels = 2 if stereo else (header[3] >> 4) + 1
    if channels != info.channels or frames > info.block_frames:
        return None
    number = _number(header[4:at])
    start = number if header[1] & 1 else number * info.block_frames
    return start + frames


def _number_bytes(first: int) -> int:
    """Return the length of a coded number, which is extended UTF-8, by its first byte; 0 if it is none."""
    if first < 0x80:
        return 1
    ones = 8 - (first ^ 0xFF).bit_length()
    return ones if 2 <= ones <= 7 else 0


def _number(coded: bytes) -> int:
    number = coded[0] & (0x7F >> (len(coded) if len(coded) > 1 else 0))
    for byte in coded[1:]:
        number = number << 6 | byte & 0x3F
    return number


def _crc8(data: bytes) -> int:
    """Return the check sum of a header, with the polynomial x^8 + x^2 + x + 1 (RFC 9639, 9.1.8)."""
    rest = 0
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = (rest << 1 ^ (0x107 if rest & 0x80 else 0)) & 0xFF
    return rest
