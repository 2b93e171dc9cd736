#!/usr/bin/env bash
# In an Ogg chain, ffmpeg's time stamps run too fast or too slowly in every link whose rate differs from the first one's.
#
# Versions: ffmpeg 5.1.9 (Debian 12) with libvorbis 1.3.7, Linux x86-64.
# Expected: the second link takes as long by its time stamps as its sound lasts, since a granule position counts its own samples.
# Seen: its samples are counted at the rate of the first link: 3 s at 48 kHz get stamps of almost 3.3 s behind one at 44.1 kHz. A
#   reader that takes the stamps for the clock sees 9 % of the sound missing.
# Output:
#   stamps ahead of the sound by 0.2 s to 0.3 s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for rate in 44100 48000; do
    ffmpeg -nostdin -v error -f lavfi -i "sine=440:r=$rate:d=3" -c:a libvorbis "$rate.ogg"
done
cat 44100.ogg 48000.ogg > chain.ogg
ffmpeg -nostdin -v error -i chain.ogg -c:a pcm_f32be -f framecrc - | grep -v '^#' | tr -d ' ' |
    awk -F, '{ sound += $4; stop = $3 + $4 }
        END { ahead = (stop - sound) / 44100
            if (ahead > 0.2 && ahead < 0.3) print "stamps ahead of the sound by 0.2 s to 0.3 s"
            else print "stamps ahead of the sound by", ahead, "s" }' | tee seen
diff seen - <<'SEEN'
stamps ahead of the sound by 0.2 s to 0.3 s
SEEN
