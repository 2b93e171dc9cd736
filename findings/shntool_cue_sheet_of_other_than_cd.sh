#!/usr/bin/env bash
# shnsplit cuts a WAV that is not 44.1 kHz, stereo, 16 bits at quite other times than the cue sheet says: in mono, at twice the time.
#
# Versions: shntool 3.0.10-1+b1 (Debian 12), sox 14.4.2, Linux x86-64.
# Expected: the INDEX 00:05:37 of a cue sheet is 5.493 s, since its frames are 75ths of a second of whatever sound the sheet is for. The
#   length that is told (m:ss.nnn) shows that shntool knows the format, and it cuts at the split points 0:05 and 0:05.493 rightly.
# Seen: a point with frames, given as m:ss.ff or by a cue sheet, is turned into bytes of a CD, seconds and all. Every cut is wrong by the
#   same factor, each is told as OK, and the exit status is 0.
# Output (length of the first part):
#   44100 Hz, 2 channels, 16 bits: cue 5.493 s, 0:05.37 5.493 s, 0:05.493 5.493 s, 0:05 5.000 s
#   44100 Hz, 1 channel, 16 bits: cue 10.987 s, 0:05.37 10.987 s, 0:05.493 5.493 s, 0:05 5.000 s
#   48000 Hz, 2 channels, 16 bits: cue 5.047 s, 0:05.37 5.047 s, 0:05.493 5.493 s, 0:05 5.000 s
#   96000 Hz, 2 channels, 24 bits: cue 1.682 s, 0:05.37 1.682 s, 0:05.493 5.493 s, 0:05 5.000 s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq shntool=3.0.10-1+b1 2> messages || { cat messages; exit 1; }
dpkg --extract shntool_*.deb .
printf 'FILE "in.wav" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n  TRACK 02 AUDIO\n    INDEX 01 00:05:37\n' > in.cue
first_part() { # first_part POINTS: cut at the points in a file, and tell the length of the first part
    usr/bin/shntool split -q -O always -f "$1" in.wav 2> messages
    soxi -D split-track01.wav | awk '{ printf "%.3f s", $1 }'
}
while read -r rate channels bits words; do
    sox -D -n -r "$rate" -c "$channels" -b "$bits" -t wavpcm in.wav synth 20 sine 440
    line="$rate Hz, $channels $words, $bits bits: cue $(first_part in.cue)"
    for point in 0:05.37 0:05.493 0:05; do
        echo "$point" > point
        line+=", $point $(first_part point)"
    done
    echo "$line"
done <<'FORMATS' | tee seen
44100 2 16 channels
44100 1 16 channel
48000 2 16 channels
96000 2 24 channels
FORMATS
diff seen - <<'SEEN'
44100 Hz, 2 channels, 16 bits: cue 5.493 s, 0:05.37 5.493 s, 0:05.493 5.493 s, 0:05 5.000 s
44100 Hz, 1 channel, 16 bits: cue 10.987 s, 0:05.37 10.987 s, 0:05.493 5.493 s, 0:05 5.000 s
48000 Hz, 2 channels, 16 bits: cue 5.047 s, 0:05.37 5.047 s, 0:05.493 5.493 s, 0:05 5.000 s
96000 Hz, 2 channels, 24 bits: cue 1.682 s, 0:05.37 1.682 s, 0:05.493 5.493 s, 0:05 5.000 s
SEEN
