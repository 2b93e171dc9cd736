#!/usr/bin/env bash
# Install a wheel in a clean environment, check what it brought, and run it on a file.
#   scripts/check_wheel.sh WHEEL
set -euo pipefail
cd "$(dirname "$0")/.."
wheel=$(realpath "$1")
constraints=$(realpath constraints.txt)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m zipfile -l "$wheel" | awk 'NR > 1 {print $1}' > "$work/files"
if grep -Ev '^streamer(/|-[0-9.]+\.dist-info/)' "$work/files"; then
    echo "check_wheel: $wheel holds the files above; expected only streamer/ and its metadata" >&2
    exit 1
fi
for wanted in streamer/released/{gate,ear,sounds,genre,separation}/{model.onnx,manifest.json} streamer/data/demo.ogg; do
    grep -qx "$wanted" "$work/files" || { echo "check_wheel: $wheel lacks $wanted" >&2; exit 1; }
done

.venv/bin/python -m venv "$work/venv"
# shellcheck disable=SC2086  # PIP_ARGS is a list of words
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ${PIP_ARGS:-} -c "$constraints" "$wheel"
cd "$work"
if venv/bin/pip list --format freeze --disable-pip-version-check | grep -Eqi '^(torch|tensorflow|scipy|librosa)='; then
    echo "check_wheel: installing the wheel brought torch, tensorflow, scipy or librosa" >&2
    exit 1
fi
export XDG_CACHE_HOME="$work/cache"
venv/bin/streamer models verify
venv/bin/streamer analyze venv/lib/python3*/site-packages/streamer/data/demo.ogg > messages
if [ "$(uname -sm)" = "Linux x86_64" ]; then
    venv/bin/python -c '
from streamer.kernels.bring import all_kernels
from streamer.kernels.machine_code import entry_of
for kernel in all_kernels():
    entry_of(kernel)'
    # What is compiled is kept, so nothing was.
    if [ -e cache/streamer/kernels ]; then
        echo "check_wheel: kernels were compiled at the first start: $(ls cache/streamer/kernels); expected them in the wheel" >&2
        exit 1
    fi
fi
grep -q '"kind":"gate".*"state":"on"' messages
grep -q '"kind":"gate".*"state":"off"' messages
echo "check_wheel: $(wc -l < "$work/files") files in the wheel; $(wc -l < messages) messages from the bundled recording"
