#!/usr/bin/env bash
# Pa_Initialize ends the whole process where ALSA has no device called `default` or `dmix`, and all others open.
#
# Versions: libportaudio2 19.6.0 (Debian 12; the installed one is run), sounddevice 0.5.6.
# Expected: no devices, or an error code.
# Seen: "BuildDeviceList: Assertion `devIdx < numDeviceNames' failed" and SIGABRT, with an empty configuration of ALSA, with one
#   that is not there, and with one whose only device has another name: the last two places are kept for those two.
#   sounddevice discards what is written to standard error meanwhile, so nothing is said.
# Output:
#   exit code with an empty configuration: 134
#   exit code with a configuration that is not there: 134
#   exit code with a device called other: 134
#   exit code with a device called dmix: 0
#   exit code with ALSA's own: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sounddevice==0.5.6
echo >"$folder/empty.conf"
for name in other dmix; do echo "pcm.$name { type null }" >"$folder/$name.conf"; done

code() { # code [VARIABLE=VALUE]: import sounddevice, which initialises PortAudio
    { env "$@" PULSE_SERVER=/nonexistent "$folder/venv/bin/python" -c 'import sounddevice' && echo 0 || echo $?; } 2>/dev/null
}

{
    echo "exit code with an empty configuration: $(code ALSA_CONFIG_PATH="$folder/empty.conf")"
    echo "exit code with a configuration that is not there: $(code ALSA_CONFIG_PATH="$folder/gone.conf")"
    for name in other dmix; do
        echo "exit code with a device called $name: $(code ALSA_CONFIG_PATH="$folder/$name.conf")"
    done
    echo "exit code with ALSA's own: $(code -u ALSA_CONFIG_PATH)"
} 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
exit code with an empty configuration: 134
exit code with a configuration that is not there: 134
exit code with a device called other: 134
exit code with a device called dmix: 0
exit code with ALSA's own: 0
SEEN
