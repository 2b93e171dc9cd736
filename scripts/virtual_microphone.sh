#!/bin/sh
# Start or stop a virtual microphone, for tests on machines that have none.
#
#   eval "$(scripts/virtual_microphone.sh start)"   starts it, and makes this shell's programs use it
#   eval "$(scripts/virtual_microphone.sh stop)"    stops it, and makes them use their usual devices again
#
# PulseAudio runs for the current user (root too) with one null sink. The default source is the monitor of this
# sink, so it captures what is played into the sink (`paplay FILE`). PortAudio opens ALSA's default device, which a
# separate configuration sets to PulseAudio. No file of the user is changed, and programs without the printed
# variables are not affected.
set -eu

SINK=virtual_microphone
FOLDER="${TMPDIR:-/tmp}/streamer-virtual-microphone-$(id -u)"
SOCKET="unix:$FOLDER/native"
ALSA_BASE=/usr/share/alsa/alsa.conf

fail() {
    echo "virtual_microphone.sh: $1" >&2
    exit 1
}

check_programs() {
    missing=""
    command -v pulseaudio >/dev/null || missing="$missing pulseaudio"
    command -v pactl >/dev/null || missing="$missing pulseaudio-utils"
    find /usr/lib /usr/lib64 -name libasound_module_pcm_pulse.so 2>/dev/null | grep -q . ||
        missing="$missing libasound2-plugins"
    [ -z "$missing" ] || fail "missing:$missing; type: sudo apt-get install$missing"
}

make_folder() {
    mkdir -m 700 "$FOLDER" 2>/dev/null || true
    # A name in /tmp can be guessed by others, so use it only if it is a real folder of this user.
    [ -d "$FOLDER" ] && [ ! -L "$FOLDER" ] && [ -O "$FOLDER" ] || fail "$FOLDER is not ours; remove it"
    cat >"$FOLDER/alsa.conf" <<CONF
<$ALSA_BASE>
pcm.!default { type pulse }
ctl.!default { type pulse }
CONF
    # Without `norewinds` an idle null sink sleeps for up to 2 s, and the first reader of its monitor waits as long.
    cat >"$FOLDER/daemon.pa" <<CONF
load-module module-native-protocol-unix auth-anonymous=1 socket=$FOLDER/native
load-module module-null-sink sink_name=$SINK rate=48000 channels=2 format=float32le norewinds=1
set-default-sink $SINK
set-default-source $SINK.monitor
CONF
}

# The daemon looks for its files inside the folder only; clients get the path of the socket.
daemon() {
    PULSE_RUNTIME_PATH="$FOLDER" PULSE_STATE_PATH="$FOLDER" PULSE_COOKIE="$FOLDER/cookie" HOME="$FOLDER" \
        pulseaudio "$@"
}

is_running() {
    PULSE_SERVER="$SOCKET" pactl list short sinks 2>/dev/null | grep -q "$SINK"
}

start() {
    check_programs
    if ! is_running; then
        make_folder
        # stdout goes to `eval`, which would wait for ever if the daemon kept it open.
        daemon --daemonize=yes -n -F "$FOLDER/daemon.pa" --exit-idle-time=-1 --realtime=no --high-priority=no \
            --log-target="file:$FOLDER/log" >/dev/null 2>&1 </dev/null || true
        tries=0
        until is_running; do
            tries=$((tries + 1))
            [ "$tries" -le 50 ] || fail "PulseAudio did not start within 10 s; its log is $FOLDER/log"
            sleep 0.2
        done
    fi
    echo "export PULSE_SERVER='$SOCKET'"
    echo "export ALSA_CONFIG_PATH='$FOLDER/alsa.conf'"
    echo "export STREAMER_VIRTUAL_MICROPHONE='$SINK'"
}

stop() {
    # No program that this shell starts later may look for a configuration that is gone.
    echo "unset PULSE_SERVER ALSA_CONFIG_PATH STREAMER_VIRTUAL_MICROPHONE"
    [ -d "$FOLDER" ] && [ -O "$FOLDER" ] || return 0
    daemon --kill 2>/dev/null || true
    tries=0
    while is_running; do
        tries=$((tries + 1))
        [ "$tries" -le 25 ] || fail "PulseAudio did not end within 5 s; its log is $FOLDER/log"
        sleep 0.2
    done
    rm -rf "$FOLDER"
}

case "${1:-}" in
start) start ;;
stop) stop ;;
*)
    echo "usage: eval \"\$($0 start)\" | eval \"\$($0 stop)\"" >&2
    exit 2
    ;;
esac
