#!/usr/bin/env bash
# ffmpeg ignores the edit list of a fragmented MP4, so the same AAC is heard 1,024 samples later than from an M4A.
#
# Versions: ffmpeg 5.1.9 (Debian 12), Linux x86-64.
# Expected: ffmpeg itself writes the edit list (`elst`, media time 1,024) that leaves out the first frame of AAC, which holds no
#   sound yet, into both files. A click at sample 22,050 is there when either is decoded.
# Seen: decoded from the fragmented file, the click is at sample 23,074.
# Output:
#   plain elst 1 click 22050
#   fragmented elst 1 click 23074
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
click='if(eq(n,22050),0.9,0)'
ffmpeg -v error -f lavfi -i "aevalsrc='$click':s=44100:d=1" -c:a pcm_s16le click.wav
ffmpeg -nostdin -v error -i click.wav -c:a aac plain.mp4
ffmpeg -nostdin -v error -i click.wav -c:a aac -movflags frag_keyframe+empty_moov+delay_moov fragmented.mp4
for name in plain fragmented; do
    ffmpeg -nostdin -v error -i "$name.mp4" -f s16le - > out
    # The loudest sample, counted from 0.
    at=$(od -An -v -t d2 -w2 out | awk '{ size = $1 < 0 ? -$1 : $1 } size > most { most = size; at = NR - 1 } END { print at }')
    echo "$name elst $(grep -c elst "$name.mp4") click $at"
done | tee seen
diff seen - <<'SEEN'
plain elst 1 click 22050
fragmented elst 1 click 23074
SEEN
