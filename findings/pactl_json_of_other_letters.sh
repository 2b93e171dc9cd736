#!/usr/bin/env bash
# `pactl --format=json` writes "(null)" for the description of a device that has a letter beyond ASCII, in a UTF-8 locale too.
#
# Versions: pulseaudio-utils 16.1 (Debian 12). The installed PulseAudio is run, in a folder of its own.
# Expected: the description as it is, or escaped as JSON allows; `pactl` without --format prints it.
# Seen: "description": "(null)", and "Invalid non-ASCII character: 0xffffffc3" on standard error.
# Output:
#   text: Monitor of Küche
#   json: (null)
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
export LC_ALL=C.UTF-8 PULSE_SERVER="unix:$folder/native"
cat >"$folder/daemon.pa" <<CONF
load-module module-native-protocol-unix auth-anonymous=1 socket=$folder/native
load-module module-null-sink sink_name=kitchen sink_properties=device.description=Küche
CONF
PULSE_RUNTIME_PATH="$folder" HOME="$folder" pulseaudio --daemonize=no -n -F "$folder/daemon.pa" --exit-idle-time=-1 \
    --realtime=no --high-priority=no >/dev/null 2>&1 &
server=$!
for _ in $(seq 100); do pactl info >/dev/null 2>&1 && break; sleep 0.1; done

{
    echo "text: $(pactl list sources | sed -n 's/^\tDescription: //p')"
    echo "json: $(pactl --format=json list sources 2>/dev/null |
        "${PYTHON:-python3}" -c 'import json, sys; print(json.load(sys.stdin)[0]["description"])')"
} | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
text: Monitor of Küche
json: (null)
SEEN
