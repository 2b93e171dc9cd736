"""Find where files were joined end to end, by the marks with which files begin.

ffmpeg and libsndfile stop at the end of the first file, or lose what stands about the joint. So each file is decoded
alone. MPEG audio, AAC, AC-3, MPEG-TS, Matroska and AVI need no such care: ffmpeg goes on in them by itself.
"""

from __future__ import annotations

import mmap
import re
from itertools import pairwise
from pathlib import Path

from streamer.sources.formats.outer_boxes import outer_boxes

PIECE_BYTES = 1 << 20
"""Length of the pieces of a search through a file."""

MARK_BYTES = 32
"""Longest mark."""

OGG_HEADER_BYTES = 27
"""Length of an Ogg page's header before its table of segments (RFC 3533, 6)."""

_FIRST_OF_BLOCK = b"[" + b"".join(re.escape(bytes([flags])) for flags in range(256) if flags & 8) + b"]"

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"""GUID of the first object of an ASF, such as a WMA or WMV."""

OGG = re.compile(rb"OggS\x00[\x02\x06]")
"""Beginning of the first page of a logical Ogg stream."""

MARKS = (
    re.compile(rb"fLaC[\x00\x80]\x00\x00\x22"),  # and the header of STREAMINFO (RFC 9639, 8.1)
    OGG,
    # The first block, of index 0, which has samples (WavPack 4 & 5 Binary File / Block Format).
    re.compile(
        rb"wvpk.{4}[\x02-\x1f]\x04\x00.{5}\x00{4}(?!\x00{4}).{5}" + _FIRST_OF_BLOCK,
        re.DOTALL,
    ),
    re.compile(rb"TTA1[\x01-\x03]\x00[\x01-\x20]\x00[\x01-\x20]\x00"),
    re.compile(rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09\x00{4}"),
    re.compile(re.escape(ASF_HEADER)),
    re.compile(rb"NIST_1A\n   1024\n"),
    re.compile(rb"Creative Voice File\x1a\x1a\x00"),
    re.compile(rb"#!AMR(?:-WB)?\n"),
    re.compile(rb"RIFF.{4}WAVE(?:fmt |JUNK|bext|fact|LIST)", re.DOTALL),
    re.compile(rb"\x00\x00\x00[\x10-\x40]ftyp[ -~]{4}\x00[\x00-\xff]{3}[ -~]{4}", re.DOTALL),
    re.compile(rb"caff\x00\x01\x00\x00desc\x00{7}\x20"),
)
"""Beginnings of files; each is so long that it does not occur within one by chance."""


def mark_of(head: bytes) -> re.Pattern[bytes] | None:
    """Return the mark that tells where another file of the same kind begins; None if ffmpeg needs none.

    Parameters
    ----------
    head : bytes
        First bytes of the file, `MARK_BYTES` or more.
    """
    return next((mark for mark in MARKS if mark.match(head)), None)


def begins_of(content: mmap.mmap, begin: int = 0) -> list[int]:
    """Return the byte offsets of the files of which `content` consists from `begin` on; one if it is a single file."""
    if content[4:8] == b"ftyp":
        return [at for at, name in outer_boxes(content) if name == b"ftyp"]
    if content[:16] == ASF_HEADER:
        return [0, *_asf_joints(content)]
    mark = mark_of(content[begin : begin + MARK_BYTES])
    if mark is None:
        return [begin]
    found = [begin, *_found(content, mark, begin + 1)]
    if mark is not OGG:
        return found
    return [begin, *(here for before, here in pairwise(found) if here != page_end(content, before))]


def begins_of_file(path: Path) -> list[int]:
    """Return the byte offsets of the files of which a file consists, which is not empty."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return begins_of(content)


def page_end(content: mmap.mmap | bytearray, page: int) -> int:
    """Return where an Ogg page ends.

    The first pages of streams that run side by side follow one another; those of links of a chain do not.
    """
    begin = first_packet(content, page)
    return begin + sum(content[page + OGG_HEADER_BYTES : begin])


def first_packet(content: mmap.mmap | bytearray, page: int) -> int:
    """Return where the first packet of an Ogg page begins."""
    return page + OGG_HEADER_BYTES + content[page + OGG_HEADER_BYTES - 1]


def _found(content: mmap.mmap, mark: re.Pattern[bytes], begin: int) -> list[int]:
    """Return where there are marks from `begin` on; other threads run between pieces of the search."""
    found: list[int] = []
    for at in range(begin, len(content), PIECE_BYTES):
        end = at + PIECE_BYTES + MARK_BYTES - 1
        found += [
            match.start() for match in mark.finditer(content, at, end) if match.start() < at + PIECE_BYTES
        ]
    return found


def _asf_joints(content: mmap.mmap) -> list[int]:
    """Return where further ASFs begin: at outer objects that are headers (ASF Specification 1.20.3, 2.1)."""
    found: list[int] = []
    at = 0
    while at + 24 <= len(content):
        if content[at : at + 16] == ASF_HEADER and at:
            found.append(at)
        length = int.from_bytes(content[at + 16 : at + 24], "little")
        if length < 24:
            break
        at += length
    return found
