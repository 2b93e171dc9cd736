#!/usr/bin/env bash
# A ResampleStream of soxr that is fed 10 ms at a time gives its output in bursts of 19 to 69 ms, up to 76 ms late.
#
# Versions: soxr 1.1.0, numpy 2.4.6, Linux x86-64. 48 kHz to 16 kHz, one second in blocks of 10 ms.
# Expected: a steady 10 ms of output for 10 ms of input, late by half the filter: for "HQ" 6.6 ms, as the lateness right
#   after a burst shows.
# Seen: nothing for several blocks, then all of it at once, in every quality but "QQ" (no filter of full length). "HQ" is
#   37 ms late at worst, "VHQ" 76 ms. For live sound this is the latency that counts.
# Output:
#   QQ: late by 0.0 to 0.0 ms, in pieces of 10.0 ms
#   LQ: late by 2.5 to 20.0 ms, in pieces of 18.8 ms
#   MQ: late by 5.0 to 37.6 ms, in pieces of 32.9 ms
#   HQ: late by 6.6 to 36.6 ms, in pieces of 30.6 ms
#   VHQ: late by 8.8 to 76.2 ms, in pieces of 68.8 ms
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soxr==1.1.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import numpy as np
import soxr

for quality in ("QQ", "LQ", "MQ", "HQ", "VHQ"):
    stream = soxr.ResampleStream(48_000, 16_000, 1, dtype="float32", quality=quality)
    sizes = [len(stream.resample_chunk(np.zeros(480, np.float32))) for _ in range(100)]
    late_ms = 10 * np.arange(1, 101) - np.cumsum(sizes) / 16
    print(
        f"{quality}: late by {late_ms[20:].min():.1f} to {late_ms.max():.1f} ms, "
        f"in pieces of {max(sizes) / 16:.1f} ms"
    )
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
QQ: late by 0.0 to 0.0 ms, in pieces of 10.0 ms
LQ: late by 2.5 to 20.0 ms, in pieces of 18.8 ms
MQ: late by 5.0 to 37.6 ms, in pieces of 32.9 ms
HQ: late by 6.6 to 36.6 ms, in pieces of 30.6 ms
VHQ: late by 8.8 to 76.2 ms, in pieces of 68.8 ms
SEEN
