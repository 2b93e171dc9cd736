#!/usr/bin/env bash
# Run every finding in turn and report whether its library still behaves as described: "ok" or "changed".
set -uo pipefail
cd "$(dirname "$0")"
changed=0
for finding in *.sh; do
    [ "$finding" = run.sh ] && continue
    if output=$(bash "$finding" 2>&1); then
        echo "ok       ${finding%.sh}"
    else
        echo "changed  ${finding%.sh}"
        printf '%s\n' "$output" | tail -n 5 | sed 's/^/         /'
        changed=1
    fi
done
exit "$changed"
