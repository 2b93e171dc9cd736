#!/usr/bin/env bash
# Make .venv-tfhub with Streamer, the extra [tfhub] and pytest, so that TensorFlow stays out of .venv.
# Does nothing if nothing has changed since the last run. PIP_ARGS is passed to pip; PYTHON names the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
stamp=.venv-tfhub/.installed

if [ "$(cat .venv-tfhub/.made-in 2>/dev/null)" != "$PWD" ]; then
    rm -rf .venv-tfhub # it is missing, incomplete, or was moved here from another folder
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
