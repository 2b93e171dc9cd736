#!/usr/bin/env bash
# ffmpeg reads 24-bit samples in containers of 32 bits, as WAVE_FORMAT_EXTENSIBLE allows, as floats: 600 dB too loud.
#
# Versions: ffmpeg 5.1.9 (Debian 12), python3 3.11, Linux x86-64.
# Expected: with 32 bits a sample of which 24 are valid, the value stands in the upper bits, and the sub-format says integer PCM. A
#   reader that does not care for the number of valid bits reads it rightly as 32-bit PCM, as libsndfile 1.2.2 and miniaudio 1.71 do.
# Seen: the codec is pcm_f24le, the 24-bit floats of an old audio editor, and a sine of -9 dB comes out at 603 dB, with no warning.
#   If 20 bits are valid, the codec is pcm_s24le: bytes of neighbouring samples are mixed to a noise that lasts four thirds as long.
# Output:
#   32 of 32 bits: pcm_s32le, -9 dB, 1.00 s
#   24 of 32 bits: pcm_f24le, 603 dB, 1.00 s
#   20 of 32 bits: pcm_s24le, -7 dB, 1.33 s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > write.py <<'PYTHON'
import math
import struct
import uuid

RATE_HZ = 16_000
PCM = uuid.UUID("00000001-0000-0010-8000-00aa00389b71").bytes_le
for valid in (32, 24, 20):
    unit = 1 << (32 - valid)
    values = (0.5 * math.sin(2 * math.pi * 440 * k / RATE_HZ) for k in range(RATE_HZ))
    data = b"".join(struct.pack("<i", int(value * 2**31) // unit * unit) for value in values)
    form = struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE_HZ, 4 * RATE_HZ, 4, 32, 22, valid, 4) + PCM
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    with open(f"{valid}.wav", "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", len(chunks)) + chunks)
PYTHON
python3 write.py
for valid in 32 24 20; do
    codec=$(ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$valid.wav")
    level=$(ffmpeg -nostdin -hide_banner -i "$valid.wav" -af astats=measure_perchannel=none -f null - 2>&1 |
        awk '/RMS level dB/ { printf "%.0f dB", $NF } /Number of samples/ { printf ", %.2f s", $NF / 16000 }')
    echo "$valid of 32 bits: $codec, $level"
done | tee seen
diff seen - <<'SEEN'
32 of 32 bits: pcm_s32le, -9 dB, 1.00 s
24 of 32 bits: pcm_f24le, 603 dB, 1.00 s
20 of 32 bits: pcm_s24le, -7 dB, 1.33 s
SEEN
