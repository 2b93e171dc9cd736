#!/usr/bin/env bash
# A FLAC file whose header leaves the number of samples open cannot be read to its end by soundfile.
#
# Versions: soundfile 0.14.0 (libsndfile 1.2.2), numpy 2.4.6, Linux x86-64.
# Expected: the format allows 0, "unknown", as the number of samples (RFC 9639, section 8.2), and programs that write
#   FLAC into a pipe leave it so. A reader should decode frames until the file ends.
# Seen: `frames` is 9223372036854775807. `read()` tries to allocate that many, and reads of a given length fail as soon
#   as they reach the end, with the samples lost. Reads that stop before the end work.
# Output:
#   frames 9223372036854775807
#   read(): ValueError: array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size.
#   read(48000): LibsndfileError: Internal psf_fseek() failed.
#   read(47999): 47999 frames
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import numpy as np
import soundfile

soundfile.write("known.flac", 0.5 * np.sin(0.1 * np.arange(48_000)), 16_000, subtype="PCM_16")
content = bytearray(open("known.flac", "rb").read())
# STREAMINFO follows 8 bytes of headers; its bits 108 to 143 are the total number of samples.
field = int.from_bytes(content[18:26], "big")
assert field & (1 << 36) - 1 == 48_000
content[18:26] = (field >> 36 << 36).to_bytes(8, "big")
open("unknown.flac", "wb").write(content)


def attempt(*frames):
    with soundfile.SoundFile("unknown.flac") as file:
        try:
            return f"{len(file.read(*frames))} frames"
        except (ValueError, soundfile.LibsndfileError) as error:
            return f"{type(error).__name__}: {error}"


print("frames", soundfile.info("unknown.flac").frames)
print("read():", attempt())
print("read(48000):", attempt(48_000))
print("read(47999):", attempt(47_999))
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
frames 9223372036854775807
read(): ValueError: array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size.
read(48000): LibsndfileError: Internal psf_fseek() failed.
read(47999): 47999 frames
SEEN
