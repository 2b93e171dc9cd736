#!/usr/bin/env bash
# Make .venv-tfhub with Streamer, the extra [tfhub] and pytest: TensorFlow stays out of the environment of all else.
# Does nothing when nothing has changed since it last ran. PIP_ARGS is handed to pip; PYTHON names the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
stamp=.venv-tfhub/.installed

if [ "$(cat .venv-tfhub/.made-in 2>/dev/null)" != "$PWD" ]; then
    rm -rf .venv-tfhub # not there, half made, or moved here from elsewhere
    "$python" -m venv .venv-tfhub
    echo "$PWD" > .venv-tfhub/.made-in
elif [ "$stamp" -nt setup.py ] && [ "$stamp" -nt constraints-tfhub.txt ]; then
    exit 0
fi
echo "setup_tfhub: installing streamer[tfhub] and pytest into .venv-tfhub" >&2
# shellcheck disable=SC2086  # PIP_ARGS is a list of words
.venv-tfhub/bin/python -m pip install --quiet --disable-pip-version-check ${PIP_ARGS:-} -c constraints-tfhub.txt \
    -e ".[tfhub]" pytest
touch "$stamp"
