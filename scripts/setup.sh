#!/usr/bin/env bash
# Make .venv with Streamer and the named extras, and install PortAudio's library if it is missing.
#   scripts/setup.sh            installs what listening needs
#   scripts/setup.sh dev        installs what developing, training and testing need
# Does nothing if nothing has changed since the last run. PIP_ARGS is passed to pip; PYTHON names the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
extras="${1:-}"

fail() { printf 'setup: %s\n' "$1" >&2; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not Python 3.11 or newer; name another, or leave PYTHON unset"
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && is_new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    fail "no Python 3.11 or newer found; on Debian or Ubuntu: sudo apt-get install python3.11 python3.11-venv (or newer); on macOS: brew install python"
}

have_portaudio() {
    # The wheels of sounddevice for macOS include the library.
    [ "$(uname)" = Darwin ] && return
    local libraries
    libraries=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null || true)
    [[ $libraries == *libportaudio.so* ]]
}

install_portaudio() {
    local command="apt-get install -y libportaudio2"
    command -v apt-get >/dev/null || fail "PortAudio's library is missing; install it with your system's package manager"
    export DEBIAN_FRONTEND=noninteractive
    if [ "$(id -u)" = 0 ]; then
        apt-get update -q && $command
    elif sudo -n true 2>/dev/null; then
        sudo apt-get update -q && sudo $command
    else
        fail "PortAudio's library is missing; type this, then try again:  sudo $command"
    fi
}

python=$(find_python)
have_portaudio || install_portaudio

stamp=".venv/.installed-${extras:-listen}"
if [ "$(cat .venv/.made-in 2>/dev/null)" != "$PWD" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv # it is missing, incomplete, or was moved here from another folder
    "$python" -m venv .venv || fail "could not make a virtual environment; on Debian or Ubuntu: sudo apt-get install $(basename "$python")-venv"
    echo "$PWD" > .venv/.made-in
elif [ "$stamp" -nt setup.py ] && [ "$stamp" -nt constraints.txt ]; then
    exit 0
fi
echo "setup: installing streamer${extras:+[$extras]} into .venv" >&2
# shellcheck disable=SC2086  # PIP_ARGS is a list of words
.venv/bin/python -m pip install --quiet --disable-pip-version-check ${PIP_ARGS:-} -c constraints.txt \
    -e ".${extras:+[$extras]}" || fail "pip could not install what is needed; see its message above"
touch "$stamp" .venv/.installed-listen
