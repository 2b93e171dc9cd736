#!/usr/bin/env bash
# ffmpeg does not hear the third channel of a three-channel WAV when it mixes to mono or measures loudness.
#
# Versions: ffmpeg 5.1.9 (Debian 12), python3 3.11, Linux x86-64.
# Expected: the header is plain PCM, which names no loudspeaker, so the channels are three microphones like one another. Each counts
#   for a third in `-ac 1`, as in sox, and as much as another in `ebur128`.
# Seen: three unnamed channels are taken for the layout 2.1, whose third is the bass of a cinema (LFE), and LFE is left out of both.
#   What only the third microphone hears becomes digital silence. "Guessed Channel Layout : 2.1" is all that is said, and
#   `-guess_layout_max 0` silences that line alone. `-af "pan=mono|c0=c0+c1+c2"` hears it. Of six channels, the fourth is lost.
#   ALAC, which is lossless, has no 2.1, so ffmpeg mixes to stereo for it, and the third microphone is gone for good.
# Output (level in mono, loudness):
#   3 channels, sound in 1: -29.0 dB, -23.0 LUFS
#   3 channels, sound in 2: -29.0 dB, -23.0 LUFS
#   3 channels, sound in 3: silence, -70.0 LUFS
#   6 channels, sound in 4: silence, -70.0 LUFS
#   3 channels as ALAC: 2 channels
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > write.py <<'PYTHON'
import math
import sys
import wave

channels, heard = map(int, sys.argv[1:])
frames = bytearray()
for k in range(5 * 48_000):
    value = round(3_277 * math.sin(2 * math.pi * 997 * k / 48_000))
    for channel in range(1, channels + 1):
        frames += (value if channel == heard else 0).to_bytes(2, "little", signed=True)
with wave.open("in.wav", "wb") as file:
    file.setparams((channels, 2, 48_000, 0, "NONE", ""))
    file.writeframes(frames)
PYTHON
tell() {
    python3 write.py "$1" "$2"
    ffmpeg -nostdin -v error -y -i in.wav -ac 1 -c:a pcm_s16le mono.wav
    level=$(ffmpeg -nostdin -hide_banner -i mono.wav -af astats=measure_perchannel=none -f null - 2>&1 |
        awk '/RMS level dB/ { print ($NF == "-inf") ? "silence" : sprintf("%.1f dB", $NF) }')
    loudness=$(ffmpeg -nostdin -hide_banner -i in.wav -af ebur128 -f null - 2>&1 | awk '$1 == "I:" { print $2 }' | tail -n 1)
    echo "$1 channels, sound in $2: $level, $loudness LUFS"
}
{
    for microphone in 1 2 3; do tell 3 "$microphone"; done
    tell 6 4
    python3 write.py 3 3
    ffmpeg -nostdin -v error -i in.wav -c:a alac out.m4a
    echo "3 channels as ALAC: $(ffprobe -v error -show_entries stream=channels -of csv=p=0 out.m4a) channels"
} | tee seen
diff seen - <<'SEEN'
3 channels, sound in 1: -29.0 dB, -23.0 LUFS
3 channels, sound in 2: -29.0 dB, -23.0 LUFS
3 channels, sound in 3: silence, -70.0 LUFS
6 channels, sound in 4: silence, -70.0 LUFS
3 channels as ALAC: 2 channels
SEEN
