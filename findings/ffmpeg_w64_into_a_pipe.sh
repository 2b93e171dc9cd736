#!/usr/bin/env bash
# ffmpeg cannot read the W64 that it writes into a pipe itself.
#
# Versions: ffmpeg 5.1.9 (Debian 12), Linux x86-64.
# Expected: as with WAV and AU, whose lengths ffmpeg cannot write either when the output is a pipe, the placeholder in the
#   header (2^63 - 1) means "to the end of the file". libsndfile 1.2.2 reads it so.
# Seen: the demuxer refuses the whole file. The same sound in WAV and AU comes back whole.
# Output:
#   wav 96000 bytes
#   au 96000 bytes
#   w64 0 bytes: Invalid data found when processing input
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ffmpeg -v error -f lavfi -i sine=duration=3:sample_rate=16000 -c:a pcm_s16le in.wav
for form in wav au w64; do
    ffmpeg -nostdin -v error -i in.wav -f "$form" - > "piped.$form"
    ffmpeg -nostdin -v error -i "piped.$form" -f s16le - > out 2> errors || true
    echo "$form $(stat -c %s out) bytes$(sed 's/.*\(: Invalid\)/\1/' errors)"
done | tee seen
diff seen - <<'SEEN'
wav 96000 bytes
au 96000 bytes
w64 0 bytes: Invalid data found when processing input
SEEN
