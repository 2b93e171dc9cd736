#!/usr/bin/env bash
# soundfile cannot open an MP3 that came from a Mac by a USB stick or a network drive: the `._NAME` beside it is in the way.
#
# Versions: soundfile 0.14.0 (libsndfile 1.2.2), numpy 2.4.6, Linux x86-64.
# Expected: `a.mp3` is read. `._a.mp3` beside it, in which macOS keeps its attributes where the file system has none
#   (AppleDouble, RFC 1740), is another file; WAV, FLAC, Ogg Vorbis and AIFF are read in the same place.
# Seen: before it tries MP3, libsndfile looks into `._a.mp3` for the resource fork of a Sound Designer II file, and takes
#   one that is none for an error. Read from memory, where there is no name, it looks for a file that is called `._` in the
#   working directory: an empty one there is enough to make every MP3 in memory unreadable.
# Output:
#   mp3, nothing beside: path read, memory read
#   mp3, AppleDouble beside: path bad resource fork, memory read
#   mp3, empty ._ in the folder: path bad resource fork, memory bad data offset
#   wav, flac, ogg, aiff: read in all cases
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import io
import struct
from pathlib import Path

import numpy as np
import soundfile

FORMATS = {"mp3": "MP3", "wav": "WAV", "flac": "FLAC", "ogg": "OGG", "aiff": "AIFF"}
# AppleDouble: magic, version, filler, two entries (Finder info of 3,760 bytes, resource fork of 286 bytes).
FORK = struct.pack(">II16sHIIIIII", 0x00051607, 0x00020000, b"Mac OS X", 2, 9, 50, 3760, 2, 3810, 286)


def tried(source) -> str:
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    try:
        return "read" if len(soundfile.read(source)[0]) == 16_000 else "cut"
    except soundfile.LibsndfileError as error:
        return error.error_string.removeprefix("Error : ").rstrip(".")


def both(suffix: str) -> str:
    path = Path(f"a.{suffix}")
    return f"path {tried(str(path))}, memory {tried(path.read_bytes())}"


noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
for suffix, form in FORMATS.items():
    soundfile.write(f"a.{suffix}", noise, 16_000, format=form)
others: set[str] = set()
for case in ("nothing beside", "AppleDouble beside", "empty ._ in the folder"):
    if case == "AppleDouble beside":
        for suffix in FORMATS:
            Path(f"._a.{suffix}").write_bytes(FORK.ljust(4096, b"\0"))
    if case == "empty ._ in the folder":
        Path("._").touch()
    print(f"mp3, {case}: {both('mp3')}")
    others |= {both(suffix) for suffix in FORMATS if suffix != "mp3"}
print("wav, flac, ogg, aiff: read in all cases" if others == {"path read, memory read"} else others)
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
mp3, nothing beside: path read, memory read
mp3, AppleDouble beside: path bad resource fork, memory read
mp3, empty ._ in the folder: path bad resource fork, memory bad data offset
wav, flac, ogg, aiff: read in all cases
SEEN
