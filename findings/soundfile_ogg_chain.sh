#!/usr/bin/env bash
# Of a chain of Ogg streams, which is what a recording of most web radios is, soundfile reads the first link only.
#
# Versions: soundfile 0.14.0 (libsndfile 1.2.2), numpy 2.4.6, Linux x86-64.
# Expected: a chain is a valid Ogg file (RFC 3533, section 4), and the Vorbis I specification wants decoders to handle it
#   (section 4.2). A reader should read all links, or at least say that there is more.
# Seen: `frames` counts the first link, reads end there, and nothing is said.
# Output:
#   first 48000 second 32000 chain 48000
#   read 48000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import numpy as np
import soundfile

noise = np.random.default_rng(1).uniform(-0.5, 0.5, 48_000)
soundfile.write("first.ogg", noise, 16_000)
soundfile.write("second.ogg", noise[:32_000], 16_000)
with open("chain.ogg", "wb") as chain:
    for link in ("first.ogg", "second.ogg"):
        chain.write(open(link, "rb").read())
frames = {name: soundfile.info(f"{name}.ogg").frames for name in ("first", "second", "chain")}
print(*(f"{name} {count}" for name, count in frames.items()))
print("read", len(soundfile.read("chain.ogg")[0]))
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
first 48000 second 32000 chain 48000
read 48000
SEEN
