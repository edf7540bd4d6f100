#!/usr/bin/env bash
# Runs the tests of a target's folder that belong to this run: see soaking.py. A few that fail are tried once more, as
# other tests keep the machine busy and many of these have seconds for what they wait for; `make test` names them at its
# end, with the reasons of their first failure.
set -eu
shared=$(dirname "$(realpath "$0")")
failed=$(mktemp -d)
trap 'rm -rf "$failed"' EXIT

try() {
    PYTHONPATH="$shared:$PYTHONPATH" python -m pytest -v -rP --durations=0 -p soaking -o cache_dir="$failed" "$@" .
}

status=0
try || status=$?
if [ "$status" = 1 ] && [ "$(grep -c '::' "$failed/v/cache/lastfailed")" -le 3 ]; then
    echo "--- Second try of what failed ---"
    status=0
    try --last-failed || status=$?
fi
exit "$status"
