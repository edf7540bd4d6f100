#!/usr/bin/env bash
set -eux
exec python -m pytest -v -p no:cacheprovider test_routes.py
