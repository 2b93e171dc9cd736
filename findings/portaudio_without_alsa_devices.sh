#!/usr/bin/env bash
# Pa_Initialize ends the whole process where ALSA lists no device at all.
#
# Versions: libportaudio2 19.6.0 (Debian 12; the installed one is run), sounddevice 0.5.6.
# Expected: no devices, or an error code.
# Seen: "BuildDeviceList: Assertion `devIdx < numDeviceNames' failed" and SIGABRT, with an empty configuration of ALSA.
#   sounddevice discards what is written to standard error meanwhile, so nothing is said.
# Output:
#   exit code with an empty configuration: 134
#   exit code with ALSA's own: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sounddevice==0.5.6
echo >"$folder/empty.conf"

code() { # code [VARIABLE=VALUE]: import sounddevice, which initialises PortAudio
    { env "$@" PULSE_SERVER=/nonexistent "$folder/venv/bin/python" -c 'import sounddevice' && echo 0 || echo $?; } 2>/dev/null
}

{
    echo "exit code with an empty configuration: $(code ALSA_CONFIG_PATH="$folder/empty.conf")"
    echo "exit code with ALSA's own: $(code -u ALSA_CONFIG_PATH)"
} 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
exit code with an empty configuration: 134
exit code with ALSA's own: 0
SEEN
