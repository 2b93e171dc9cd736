"""Turn RF64 files that are short enough into WAV files.

RF64 (EBU Tech 3306) is WAV with a header that allows more than 4 GiB; the sound is stored alike.
"""

from __future__ import annotations

import struct
from pathlib import Path

WAV_BYTES = 2**32 - 2**16
"""Largest size of a WAV file that is written, header included; a little below the format's limit of 4 GiB."""
_CHUNK = struct.Struct("<4sI")


def as_wav(path: Path) -> None:
    """Turn an RF64 file into a WAV file in place; leave it as it is if it is longer than `WAV_BYTES`.

    Sound of unknown length has to be written as RF64, but more programs read WAV.

    Parameters
    ----------
    path : Path
        A file as libsndfile writes it: the chunk ``ds64``, which holds the sizes, comes first.
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
