#!/usr/bin/env bash
# soxr makes noise of digital silence when it resamples 16-bit samples, and so 0 is no longer a sign of a muted microphone.
#
# Versions: soxr 1.1.0 (libsoxr 0.1.3), numpy 2.4.6, Linux x86-64.
# Expected: zeros in, zeros out, in each of the four types of samples that `resample` takes.
# Seen: for int16, and for this type alone, libsoxr adds dither. Neither the README nor an argument of Python-SoXR tells of it. Almost
#   every fourth sample of silence is -1 or 1, and the same call gives the same "random" numbers each time.
# Output (of one second, 48 kHz to 16 kHz):
#   int16: from -1 to 1, 23 % not 0, second call the same
#   int32: from 0 to 0, 0 % not 0, second call the same
#   float32: from 0 to 0, 0 % not 0, second call the same
#   float64: from 0 to 0, 0 % not 0, second call the same
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soxr==1.1.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import numpy as np
import soxr

for name in ("int16", "int32", "float32", "float64"):
    silence = np.zeros(48_000, name)
    out, again = (soxr.resample(silence, 48_000, 16_000) for _ in range(2))
    share = 100 * np.count_nonzero(out) / len(out)
    same = "the same" if np.array_equal(out, again) else "another"
    print(f"{name}: from {out.min():.0f} to {out.max():.0f}, {share:.0f} % not 0, second call {same}")
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
int16: from -1 to 1, 23 % not 0, second call the same
int32: from 0 to 0, 0 % not 0, second call the same
float32: from 0 to 0, 0 % not 0, second call the same
float64: from 0 to 0, 0 % not 0, second call the same
SEEN
