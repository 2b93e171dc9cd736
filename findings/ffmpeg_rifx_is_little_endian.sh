#!/usr/bin/env bash
# ffmpeg reads the samples of a RIFX, a WAV in big-endian order, as little-endian ones: what comes out is noise.
#
# Versions: ffmpeg 5.1.9 (Debian 12), Linux x86-64; sox 14.4.2 and libsndfile 1.2.2 write such files and read them rightly.
# Expected: RIFX is RIFF with all numbers big-endian (Microsoft and IBM, Multimedia Programming Interface 1.0, chapter 2).
#   ffmpeg recognises the form and reads the header in this order, so the samples should be taken in it too.
# Seen: the codec is pcm_s16le. A sample of 16384 comes out as 64, and nothing is said.
# Output:
#   RIFF pcm_s16le 16384
#   RIFX pcm_s16le 64
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > write.py <<'PYTHON'
import struct

for form, order in (("RIFF", "<"), ("RIFX", ">")):
    samples = struct.pack(f"{order}1000h", *[0] * 500, 16_384, *[0] * 499)
    header = form.encode() + struct.pack(f"{order}I", 36 + 2_000) + b"WAVEfmt "
    header += struct.pack(f"{order}IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    with open(f"{form}.wav", "wb") as file:
        file.write(header + b"data" + struct.pack(f"{order}I", 2_000) + samples)
PYTHON
python3 write.py
for form in RIFF RIFX; do
    codec=$(ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$form.wav")
    sample=$(ffmpeg -nostdin -v error -i "$form.wav" -f s16le - | od -A n -t d2 -j 1000 -N 2 | tr -d ' ')
    echo "$form $codec $sample"
done | tee seen
diff seen - <<'SEEN'
RIFF pcm_s16le 16384
RIFX pcm_s16le 64
SEEN
