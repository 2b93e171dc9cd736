#!/usr/bin/env bash
# ffmpeg drops the digital silence of an 8-bit mono FLAC without a word, so that what follows it is heard too early.
#
# Versions: ffmpeg 5.1.9 (Debian 12), flac 1.4.2, python3 3.11, Linux x86-64.
# Expected: FLAC is lossless at 4 to 32 bits (RFC 9639, section 9.1.4), so all 3 s come out, with the tone behind 2 s of silence.
#   `flac -d` and libsndfile 1.2.2 give that.
# Seen: a frame of 8-bit silence has 10 bytes, and the decoder passes over frames of fewer than 11, with no error even in the log.
#   Only the time stamps know of the gap; a WAV or raw samples made of it lack the first 1.79 s. In 16 bits, the frame has 11 bytes.
# Output:
#   16 bits: flac 3.000 s, tone at 2.000 s; ffmpeg 3.000 s, tone at 2.000 s
#   8 bits: flac 3.000 s, tone at 2.000 s; ffmpeg 1.208 s, tone at 0.208 s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > write.py <<'PYTHON'
import wave

sound = [0] * 32_000 + [64 if k // 20 % 2 else -64 for k in range(16_000)]
for bits in (16, 8):
    with wave.open(f"{bits}.wav", "wb") as file:
        file.setparams((1, bits // 8, 16_000, 0, "NONE", ""))
        # A WAV of 8 bits is unsigned.
        file.writeframes(b"".join((256 * v).to_bytes(2, "little", signed=True) if bits == 16 else bytes([v + 128]) for v in sound))
PYTHON
python3 write.py
cat > tell.py <<'PYTHON'
import sys
from array import array

samples = array("h", sys.stdin.buffer.read())
at = next(k for k, value in enumerate(samples) if value)
print(f"{len(samples) / 16_000:.3f} s, tone at {at / 16_000:.3f} s")
PYTHON
for bits in 16 8; do
    flac --silent "$bits.wav"
    flac --silent --decode -o back.wav --force "$bits.flac"
    echo "$bits bits: flac $(ffmpeg -nostdin -v error -i back.wav -f s16le - | python3 tell.py);" \
        "ffmpeg $(ffmpeg -nostdin -v verbose -i "$bits.flac" -f s16le - 2> log | python3 tell.py)"
    if grep -i -E "error|invalid|discard|drop" log; then exit 1; fi
done | tee seen
diff seen - <<'SEEN'
16 bits: flac 3.000 s, tone at 2.000 s; ffmpeg 3.000 s, tone at 2.000 s
8 bits: flac 3.000 s, tone at 2.000 s; ffmpeg 1.208 s, tone at 0.208 s
SEEN
