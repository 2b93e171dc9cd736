#!/usr/bin/env bash
# ffmpeg's denoisers and equalisers move the sound by up to 85 ms and lose its end, while the time stamps stay.
#
# Versions: ffmpeg 5.1.9 (Debian 12), python3 3.11, Linux x86-64.
# Expected: a filter that looks ahead gives its output the time stamps of the sound that it belongs to, or drops as much at the
#   beginning, as `afwtdn` and `rubberband` do, so that clicks at samples 24,000 and 95,500 of 96,000 stay there.
# Seen: output begins at time stamp 0 with the filter's own delay, and the same number of samples is missing at the end: a label set
#   on the cleaned sound is late. `atempo=1`, which should change nothing, makes all of it 11 ms early and the whole 7 ms shorter.
# Output (clicks):
#   anull: 0.0 ms 0.0 ms, first stamp 0, 96000 samples
#   afwtdn: 0.0 ms 0.0 ms, first stamp 0, 96000 samples
#   rubberband: 0.0 ms 0.0 ms, first stamp 0, 96000 samples
#   afftdn: 25.0 ms lost, first stamp 0, 96000 samples
#   anlmdn: 8.0 ms 8.0 ms, first stamp 0, 96000 samples
#   superequalizer: 85.3 ms lost, first stamp 0, 96000 samples
#   atempo=1: -10.9 ms -7.1 ms, first stamp 0, 95660 samples
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ffmpeg -nostdin -v error -f lavfi -i "aevalsrc='if(eq(n,24000)+eq(n,95500),0.9,0.0005*sin(2*PI*440*t))':s=48000:d=2" -c:a pcm_f32le in.wav
cat > tell.py <<'PYTHON'
import sys
from array import array

samples = array("f", sys.stdin.buffer.read())
loud = [k for k, value in enumerate(samples) if abs(value) > 0.5]
first = f"{(loud[0] - 24_000) / 48:.1f} ms"
second = f"{(loud[1] - 95_500) / 48:.1f} ms" if len(loud) > 1 else "lost"
print(f"{first} {second}, first stamp {sys.argv[1]}, {len(samples)} samples")
PYTHON
for filter in anull afwtdn rubberband afftdn anlmdn superequalizer atempo=1; do
    stamp=$(ffmpeg -nostdin -v error -i in.wav -af "$filter" -f framecrc - | awk -F ', *' '!/^#/ && !said++ { print $3 }')
    echo "$filter: $(ffmpeg -nostdin -v error -i in.wav -af "$filter" -ar 48000 -f f32le - | python3 tell.py "$stamp")"
done | tee seen
diff seen - <<'SEEN'
anull: 0.0 ms 0.0 ms, first stamp 0, 96000 samples
afwtdn: 0.0 ms 0.0 ms, first stamp 0, 96000 samples
rubberband: 0.0 ms 0.0 ms, first stamp 0, 96000 samples
afftdn: 25.0 ms lost, first stamp 0, 96000 samples
anlmdn: 8.0 ms 8.0 ms, first stamp 0, 96000 samples
superequalizer: 85.3 ms lost, first stamp 0, 96000 samples
atempo=1: -10.9 ms -7.1 ms, first stamp 0, 95660 samples
SEEN
