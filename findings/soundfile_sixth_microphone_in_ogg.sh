#!/usr/bin/env bash
# Of six microphones that soundfile writes as Ogg, the sixth goes deaf; of seven or eight, Vorbis keeps all and Opus loses the last.
#
# Versions: soundfile 0.14.0 (libsndfile 1.2.2), numpy 2.4.6, Linux x86-64.
# Expected: soundfile's channels are numbered and have no loudspeakers, so a tone of about 1 kHz in each comes back from all alike.
# Seen: the encoders take six channels for 5.1 in Vorbis's order, where the last is the bass (LFE), and keep only its low end. Opus does so
#   with the last of seven and eight too, libvorbis not. No warning is given, and the number of channels and frames is right.
# Output (level that comes back, against the original):
#   VORBIS, 5 channels: last 0 dB, others 0 dB
#   VORBIS, 6 channels: last below -20 dB, others 0 dB
#   VORBIS, 7 channels: last 0 dB, others 0 dB
#   VORBIS, 8 channels: last 0 dB, others 0 dB
#   OPUS, 5 channels: last 0 dB, others 0 dB
#   OPUS, 6 channels: last below -20 dB, others 0 dB
#   OPUS, 7 channels: last below -20 dB, others 0 dB
#   OPUS, 8 channels: last below -20 dB, others 0 dB
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import numpy as np
import soundfile

RATE_HZ = 48_000
times_s = np.arange(2 * RATE_HZ) / RATE_HZ


def told(gains_db):
    """The lowest of some levels, to whole dB; a loss that no listener would notice is 0."""
    lowest = min(gains_db)
    return "0 dB" if lowest > -1 else "below -20 dB" if lowest < -20 else f"{lowest:.0f} dB"


for coding in ("VORBIS", "OPUS"):
    for channels in (5, 6, 7, 8):
        sound = np.stack([0.2 * np.sin(2 * np.pi * (1_000 + 50 * k) * times_s) for k in range(channels)], axis=1)
        soundfile.write("out.ogg", sound, RATE_HZ, format="OGG", subtype=coding)
        back, _ = soundfile.read("out.ogg")
        assert back.shape == sound.shape
        middle = slice(RATE_HZ // 2, RATE_HZ)
        power = np.mean(back[middle] ** 2, axis=0) / np.mean(sound[middle] ** 2, axis=0)
        gains_db = 10 * np.log10(power + 1e-12)
        print(f"{coding}, {channels} channels: last {told(gains_db[-1:])}, others {told(gains_db[:-1])}")
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
VORBIS, 5 channels: last 0 dB, others 0 dB
VORBIS, 6 channels: last below -20 dB, others 0 dB
VORBIS, 7 channels: last 0 dB, others 0 dB
VORBIS, 8 channels: last 0 dB, others 0 dB
OPUS, 5 channels: last 0 dB, others 0 dB
OPUS, 6 channels: last below -20 dB, others 0 dB
OPUS, 7 channels: last below -20 dB, others 0 dB
OPUS, 8 channels: last below -20 dB, others 0 dB
SEEN
