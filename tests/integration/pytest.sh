#!/usr/bin/env bash
# Runs the tests of a target's folder that belong to this run: see soaking.py.
set -eux
shared=$(dirname "$(realpath "$0")")
exec env PYTHONPATH="$shared:$PYTHONPATH" python -m pytest -v -rP --durations=0 -p no:cacheprovider -p soaking .
