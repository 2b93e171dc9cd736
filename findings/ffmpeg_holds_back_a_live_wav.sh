#!/usr/bin/env bash
# ffmpeg gives nothing of a live WAV on a pipe before two seconds of it have come.
#
# Versions: ffmpeg 5.1.9 (Debian 12), Linux x86-64.
# Expected: the header says all there is to know about PCM, so the first samples come out as they come in.
# Seen: of 1.9 s of sound that a recorder has written, nothing has come out 3 s later. With `-probesize 32`, some has.
#   `-fflags nobuffer` does not help.
# Output:
#   as it is: 0 of 182400 bytes
#   -fflags nobuffer: 0 of 182400 bytes
#   -probesize 32: some of 182400 bytes
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ffmpeg -v error -f lavfi -i sine=duration=4:sample_rate=48000 -c:a pcm_s16le -f wav - > in.wav
show() {
    : > out
    (head -c 182478 in.wav && sleep 3 && stat -c %s out > had) |
        ffmpeg -v error "$@" -i pipe:0 -flush_packets 1 -f s16le pipe:1 > out
    if [ "$(cat had)" = 0 ]; then echo "0 of 182400 bytes"; else echo "some of 182400 bytes"; fi
}
{
    echo "as it is: $(show)"
    echo "-fflags nobuffer: $(show -fflags nobuffer)"
    echo "-probesize 32: $(show -probesize 32)"
} | tee seen
diff seen - <<'SEEN'
as it is: 0 of 182400 bytes
-fflags nobuffer: 0 of 182400 bytes
-probesize 32: some of 182400 bytes
SEEN
