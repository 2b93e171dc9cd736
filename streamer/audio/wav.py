"""WAV, which holds up to 4 GiB, and its successor RF64 (EBU Tech 3306): the same but for the header."""

from __future__ import annotations

import struct
from pathlib import Path

WAV_BYTES = 2**32 - 2**16
"""What a WAV can hold, its header included, with room to spare."""
_CHUNK = struct.Struct("<4sI")


def as_wav(path: Path) -> None:
    """Make an RF64 that a WAV can hold one, in place; one that is longer is left as it is.

    Sound of unknown length is written as RF64, and more programs read WAV.

    Parameters
    ----------
    path : Path
        As libsndfile writes it: the chunk ``ds64``, which holds the sizes, comes first.
    """
    size = path.stat().st_size
    if size > WAV_BYTES:
        return
    with path.open("r+b") as file:
        if file.read(4) != b"RF64":
            return
        file.seek(12)
        name, length = _CHUNK.unpack(file.read(_CHUNK.size))
        file.seek(12)
        file.write(_CHUNK.pack(b"JUNK", length))
        while name != b"data":
            file.seek(length + length % 2, 1)
            name, length = _CHUNK.unpack(file.read(_CHUNK.size))
        begins = file.tell()
        file.seek(begins - _CHUNK.size)
        file.write(_CHUNK.pack(b"data", size - begins))
        file.seek(0)
        file.write(_CHUNK.pack(b"RIFF", size - 8))
