#!/usr/bin/env bash
# soundfile takes the floats in a W64 that ffmpeg wrote for integers: what comes out is noise.
#
# Versions: soundfile 0.14.0 (libsndfile 1.2.2), numpy 2.4.6, ffmpeg 5.1.9 (Debian 12), Linux x86-64.
# Expected: the header is a WAVE_FORMAT_EXTENSIBLE whose sub-format is IEEE float. In a WAV with the same header,
#   libsndfile says FLOAT, and reads 0.25 as 0.25.
# Seen: in a W64, the sub-format is not looked at: it says PCM_32, and 0.25 comes out as 0.488.
# Output:
#   wav FLOAT 0.25
#   w64 PCM_32 0.488
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import subprocess

import numpy as np
import soundfile

soundfile.write("in.wav", np.full(1_000, 0.25, np.float32), 48_000, subtype="FLOAT")
for form in ("wav", "w64"):
    name = f"out.{form}"
    subprocess.run(["ffmpeg", "-v", "error", "-i", "in.wav", "-c:a", "pcm_f32le", name], check=True)
    print(form, soundfile.info(name).subtype, round(float(soundfile.read(name)[0][500]), 3))
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
wav FLOAT 0.25
w64 PCM_32 0.488
SEEN
