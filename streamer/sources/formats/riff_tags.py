"""Read what the header of a WAV says of its recording: bext, iXML, GUANO and the texts of its LIST INFO."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

LARGEST_CHUNK = 1 << 20
"""Largest chunk of tags that is read, in bytes."""

MOST_CHUNKS = 1_000
"""Number of chunks after which a file is left."""

MAGICS = (b"RIFF", b"RF64", b"BW64")

INFO_NAMES = {b"ICMT": "comment", b"ICRD": "date"}
"""Texts of LIST INFO that are kept, with ffmpeg's names for them."""

_IN_XML = re.compile(r"<(BWF_\w+)>\s*([^<]*?)\s*</\1>")
_IN_GUANO = re.compile(r"^Timestamp:\s*(.*?)\s*$", re.MULTILINE)


def riff_tags(path: Path) -> dict[str, str]:
    """Return the tags of a WAV that may tell when it began, with ffmpeg's names for them; empty for other files.

    Parameters
    ----------
    path : Path
        A file that can be read.
    """
    tags: dict[str, str] = {}
    with path.open("rb") as file:
        for name, body in _chunks(file):
            if name == b"bext":
                tags |= _of_bext(body)
            elif name == b"iXML":
                tags = _of_xml(_text(body)) | tags  # bext says it better
            elif name == b"guan" and (found := _IN_GUANO.search(_text(body))):
                tags["timestamp"] = found[1]
            elif name == b"LIST" and body[:4] == b"INFO":
                tags |= _of_info(body[4:])
    return tags


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give the name and the body of each chunk of tags, before and behind the sound."""
    head = file.read(12)
    if head[:4] not in MAGICS or head[8:] != b"WAVE":
        return
    size, length_of_rf64 = os.fstat(file.fileno()).st_size, 0
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        name, length = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"data" and length == 0xFFFFFFFF and length_of_rf64:
            length = length_of_rf64
        body_at = file.tell()
        if name == b"ds64":
            length_of_rf64 = struct.unpack("<Q", file.read(16)[8:].ljust(8, b"\0"))[0]
        elif name in (b"bext", b"iXML", b"guan", b"LIST") and length <= LARGEST_CHUNK:
            yield name, file.read(length)
        if body_at + length >= size:
            return
        file.seek(body_at + length + length % 2)


def _of_bext(body: bytes) -> dict[str, str]:
    """Return the fields of a chunk ``bext`` (EBU Tech 3285) that tell when the sound began."""
    if len(body) < 346:
        return {}
    date, moment = _text(body[320:330]), _text(body[330:338])
    reference = str(struct.unpack("<Q", body[338:346])[0])
    return {"origination_date": date, "origination_time": moment, "time_reference": reference}


def _of_xml(text: str) -> dict[str, str]:
    """Return the same fields from the copy of ``bext`` in an iXML."""
    fields = dict(_IN_XML.findall(text))
    tags = {
        "origination_date": fields.get("BWF_ORIGINATION_DATE", ""),
        "origination_time": fields.get("BWF_ORIGINATION_TIME", ""),
    }
    high, low = (fields.get(f"BWF_TIME_REFERENCE_{part}", "") for part in ("HIGH", "LOW"))
    if high.isdecimal() and low.isdecimal():
        tags["time_reference"] = str((int(high) << 32) + int(low))
    return tags


def _of_info(body: bytes) -> dict[str, str]:
    tags = {}
    while len(body) >= 8:
        name, length = body[:4], struct.unpack("<I", body[4:8])[0]
        if name in INFO_NAMES:
            tags[INFO_NAMES[name]] = _text(body[8 : 8 + length])
        body = body[8 + length + length % 2 :]
    return tags


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", errors="replace").strip()
