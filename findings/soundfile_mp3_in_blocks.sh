#!/usr/bin/env bash
# An MP3 of a low bit rate that is read in blocks by soundfile decodes to other sound than when it is read at once.
#
# Versions: soundfile 0.14.0 (libsndfile 1.2.2 with mpg123), numpy 2.4.6, Linux x86-64.
# Expected: `blocks()` and `read()` give the same samples; blocks only bound the memory.
# Seen: after every read of a seekable file soundfile seeks to the position that it has reached already. The seek makes
#   mpg123 forget the bits that a frame borrows from earlier frames (the bit reservoir), so that sound is missing or
#   wrong after each block. mpg123 writes "part2_3_length ... too large for available bit count" to standard error; no
#   error is raised. Blocks of a multiple of 1,152 samples are right at a constant bit rate.
# Output (error relative to read(), in dB of its power):
#   constant 8 kbit/s: blocks of 1024: -1 dB, blocks of 1152: equal
#   variable, 23 kbit/s: blocks of 1024: -18 dB
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import os

import numpy as np
import soundfile

RATE_HZ, LENGTH_S = 16_000, 10
t = np.arange(LENGTH_S * RATE_HZ) / RATE_HZ
sound = 0.3 * np.sin(2 * np.pi * (200 + 150 * t) * t) * (0.2 + np.abs(np.sin(2 * np.pi * 1.3 * t)))
sound += 0.02 * np.random.default_rng(0).standard_normal(len(t))


def error(block):
    """Error of reading in blocks, in dB relative to the power of the sound that is read at once."""
    whole, _ = soundfile.read("x.mp3")
    parts = np.concatenate(list(soundfile.blocks("x.mp3", block)))
    power = np.mean((parts - whole) ** 2) / np.mean(whole**2)
    return f"blocks of {block}: " + (f"{10 * np.log10(power):.0f} dB" if power > 1e-12 else "equal")


for mode, level in (("constant", 0.99), ("variable", 0.9)):
    soundfile.write("x.mp3", sound, RATE_HZ, bitrate_mode=mode.upper(), compression_level=level)
    kbit_s = 8 * os.path.getsize("x.mp3") / LENGTH_S / 1_000
    print(f"{mode}{'' if mode == 'constant' else ','} {kbit_s:.0f} kbit/s: {error(1024)}", end="")
    print(f", {error(1152)}" if mode == "constant" else "")
PYTHON
"$folder/venv/bin/python" show.py 2> messages | tee seen
grep -q "too large for available bit count" messages
diff seen - <<'SEEN'
constant 8 kbit/s: blocks of 1024: -1 dB, blocks of 1152: equal
variable, 23 kbit/s: blocks of 1024: -18 dB
SEEN
