#!/usr/bin/env bash
# ffmpeg stamps a packet of Vorbis too late wherever long blocks give way to short ones; the next stamp is right again.
#
# Versions: ffmpeg 5.1.9 (Debian 12) with libvorbis 1.3.7, Linux x86-64.
# Expected: the packets of a file without a gap follow one another, so each stamp is that of the packet before plus its frames.
# Seen: at each click, one packet (the transition from a block of 2,048 to one of 256) is stamped 448 frames late, which is
#   (2048 - 256) / 4. A reader that takes stamps for the clock sees a loss of 10 ms at each onset, and then an overlap.
# Output:
#   late by 448
#   early by 448
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
clicks="0.01*sin(0.05*n)+0.9*eq(mod(n\,9000)\,8000)"
ffmpeg -nostdin -v error -f lavfi -i "aevalsrc=$clicks:s=44100:d=3" -c:a libvorbis clicks.ogg
ffmpeg -nostdin -v error -i clicks.ogg -c:a pcm_f32be -f framecrc - | grep -v '^#' | tr -d ' ' |
    awk -F, 'NR > 1 && $3 > next_ { print "late by", $3 - next_ }
        NR > 1 && $3 < next_ { print "early by", next_ - $3 }
        { next_ = $3 + $4 }' | sort -ru | tee seen
diff seen - <<'SEEN'
late by 448
early by 448
SEEN
