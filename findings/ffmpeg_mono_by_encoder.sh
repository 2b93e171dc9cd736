#!/usr/bin/env bash
# ffmpeg's mono of a 16-bit stereo file is 3 dB louder in AAC, Vorbis and float WAV than in Opus, FLAC and 16-bit WAV.
#
# Versions: ffmpeg 5.1.9 (Debian 12) with libopus 1.3.1 and libvorbis 1.3.7, Linux x86-64.
# Expected: `-ac 1` mixes two equal channels to one of the same level, whatever encoder comes behind it.
# Seen: the two channels are added with a weight of 0.707 each where the encoder takes floats, and of 0.5 each where it takes
#   integers: the resampler scales its mixing matrix down against clipping for integers only. Levels measured on such files differ
#   by 3 dB, and floats reach beyond 1. Nothing is said.
# Output:
#   stereo in: -9.0 dB
#   pcm_s16le: -9.0 dB
#   flac: -9.0 dB
#   libopus: -9.0 dB
#   pcm_f32le: -6.0 dB
#   aac: -6.1 dB
#   libvorbis: -6.0 dB
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
tone="0.5*sin(2*PI*440*t)"
ffmpeg -nostdin -v error -f lavfi -i "aevalsrc=$tone|$tone:s=48000:d=2" -c:a pcm_s16le stereo.wav
level() {
    ffmpeg -nostdin -hide_banner -i "$1" -af astats=measure_perchannel=none -f null - 2>&1 |
        awk '/RMS level dB/ { printf "%.1f dB\n", $NF }'
}
{
    echo "stereo in: $(level stereo.wav)"
    for encoder in pcm_s16le flac libopus pcm_f32le aac libvorbis; do
        ffmpeg -nostdin -v error -i stereo.wav -ac 1 -c:a "$encoder" "$encoder.mkv"
        echo "$encoder: $(level "$encoder.mkv")"
    done
} | tee seen
diff seen - <<'SEEN'
stereo in: -9.0 dB
pcm_s16le: -9.0 dB
flac: -9.0 dB
libopus: -9.0 dB
pcm_f32le: -6.0 dB
aac: -6.1 dB
libvorbis: -6.0 dB
SEEN
