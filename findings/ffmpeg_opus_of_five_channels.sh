#!/usr/bin/env bash
# ffmpeg mixes up the loudspeakers when it writes 5.0 or 6.1 as Opus: the voice of the centre comes from behind.
#
# Versions: ffmpeg 5.1.9 (Debian 12) with libopus 1.3.1, opus-tools 0.2, python3 3.11, Linux x86-64.
# Expected: a tone of its own in each channel of a WAV is in the same channel after Opus (RFC 7845, section 5.1.1.2, says in which order
#   the stream has them, and both programs put them back into that of WAV). So it is with opusenc, and with ffmpeg for 5.1 and 7.1.
# Seen: ffmpeg moves the channels to other places at 5.0 and 6.1, for its own decoder and for opusdec alike, so that the fault is in what it
#   writes. It says nothing. `-mapping_family 1`, which is what it takes by itself for more than two channels, keeps the order if asked for.
# Output (the channel of the input that is heard in each channel of the output, in the order of WAV; the centre is 3):
#   5.0 ffmpeg: 1 2 4 5 3 (opusdec: 1 2 4 5 3)
#   5.1 ffmpeg: 1 2 3 4 5 6 (opusdec: 1 2 3 4 5 6)
#   6.1 ffmpeg: 1 2 6 4 3 5 7 (opusdec: 1 2 6 4 3 5 7)
#   7.1 ffmpeg: 1 2 3 4 5 6 7 8 (opusdec: 1 2 3 4 5 6 7 8)
#   5.0 opusenc: 1 2 3 4 5 (opusdec: 1 2 3 4 5)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > tell.py <<'PYTHON'
import math
import sys
from array import array

# Channel k of the input has a tone of 20 k Hz, low enough for LFE too; half a second holds whole periods of each.
channels = int(sys.argv[1])
samples = array("f", sys.stdin.buffer.read())
heard = []
for channel in range(channels):
    part = samples[channel::channels][12_000:36_000]
    powers = []
    for k in range(1, channels + 1):
        turn = 2 * math.pi * 20 * k / 48_000
        sums = [sum(v * wave(turn * n) for n, v in enumerate(part)) for wave in (math.cos, math.sin)]
        powers.append(math.hypot(*sums))
    heard.append(1 + powers.index(max(powers)))
print(*heard)
PYTHON
write() { # write LAYOUT CHANNELS
    local tones
    tones=$(for k in $(seq "$2"); do echo "0.2*sin(2*PI*20*$k*t)"; done | paste -s -d '|')
    ffmpeg -nostdin -v error -y -f lavfi -i "aevalsrc='$tones':c=$1:s=48000:d=1" -c:a pcm_s16le in.wav
}
heard() { # heard CHANNELS
    opusdec --quiet --float out.opus back.wav 2> messages
    echo "$(ffmpeg -nostdin -v error -i out.opus -f f32le - | python3 tell.py "$1")" \
        "(opusdec: $(ffmpeg -nostdin -v error -i back.wav -f f32le - | python3 tell.py "$1"))"
}
{
    for layout in "5.0 5" "5.1 6" "6.1 7" "7.1 8"; do
        read -r name channels <<< "$layout"
        write "$name" "$channels"
        ffmpeg -nostdin -v warning -y -i in.wav -c:a libopus -b:a 500k out.opus
        echo "$name ffmpeg: $(heard "$channels")"
    done
    write 5.0 5
    opusenc --quiet --bitrate 500 in.wav out.opus
    echo "5.0 opusenc: $(heard 5)"
} | tee seen
diff seen - <<'SEEN'
5.0 ffmpeg: 1 2 4 5 3 (opusdec: 1 2 4 5 3)
5.1 ffmpeg: 1 2 3 4 5 6 (opusdec: 1 2 3 4 5 6)
6.1 ffmpeg: 1 2 6 4 3 5 7 (opusdec: 1 2 6 4 3 5 7)
7.1 ffmpeg: 1 2 3 4 5 6 7 8 (opusdec: 1 2 3 4 5 6 7 8)
5.0 opusenc: 1 2 3 4 5 (opusdec: 1 2 3 4 5)
SEEN
