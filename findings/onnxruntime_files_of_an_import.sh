#!/usr/bin/env bash
# `import onnxruntime` alone writes a device id and an SQLite file into the user's cache, on Linux, from 1.29 on.
#
# Versions: onnxruntime 1.28.0 (nothing is written), 1.29.0 and 1.31.1 (two files), Linux x86-64.
# Expected: an import leaves no file in the home folder; no session was opened and no model was read.
# Seen: ~/.cache/Microsoft/DeveloperTools/.onnxruntime/ holds `deviceid` (36 characters) and `onnxruntime.db` (SQLite),
#   and one more thread runs. ORT_DISABLE_TELEMETRY=1, set before the import, keeps both away.
# Output:
#   1.28.0: no file
#   1.29.0: deviceid onnxruntime.db
#   1.31.1: deviceid onnxruntime.db
#   1.31.1, ORT_DISABLE_TELEMETRY=1: no file
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"

look() { # look LABEL [VARIABLE=VALUE]: import in a new home folder, and name the files that appeared there
    local home files
    home=$(mktemp -d -p "$folder")
    env -u ORT_DISABLE_TELEMETRY HOME="$home" XDG_CACHE_HOME="$home/.cache" "${@:2}" \
        "$folder/venv/bin/python" -c 'import onnxruntime'
    files=$(find "$home" -type f -path '*/.onnxruntime/*' ! -name '*-wal' ! -name '*-shm' -printf '%f\n' | sort | xargs)
    echo "$1: ${files:-no file}"
}

for version in 1.28.0 1.29.0 1.31.1; do
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==$version numpy==2.4.6
    look "$version"
done | tee "$folder/seen"
look "1.31.1, ORT_DISABLE_TELEMETRY=1" ORT_DISABLE_TELEMETRY=1 | tee -a "$folder/seen"
diff "$folder/seen" - <<'SEEN'
1.28.0: no file
1.29.0: deviceid onnxruntime.db
1.31.1: deviceid onnxruntime.db
1.31.1, ORT_DISABLE_TELEMETRY=1: no file
SEEN
