# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sandbox's Prometheus knows; for the targets that look at it."""

from __future__ import annotations

import time
import typing as t

import pytest
import requests
from playing import CONFIG

PROMETHEUS = CONFIG.get("prometheus_url", "")
OURS = f'namespace="{CONFIG["test_namespace"]}",server="mcp-server"'
LABELS = f'{{{OURS},pool="blue",version="v1.1.5"}}'
needs_own_prometheus = pytest.mark.skipif(
    not (CONFIG.get("alertmanager_url") and CONFIG["admin_kubeconfig"]),
    reason="needs the sandbox's own Prometheus, and may restart it",
)


def get(url: str, **parameters: t.Any) -> t.Any:
    answer = requests.get(url, params=parameters, timeout=10)
    answer.raise_for_status()
    return answer.json()


def query(expression: str, **parameters: t.Any) -> list[dict[str, t.Any]]:
    return get(f"{PROMETHEUS}/api/v1/query", query=expression, **parameters)["data"]["result"]


def value(expression: str) -> float:
    found = query(f"sum({expression})")
    return float(found[0]["value"][1]) if found else 0.0


def until(what: str, so: t.Callable[[], t.Any], seconds: float) -> t.Any:
    deadline = time.monotonic() + seconds
    while not (result := so()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.5)
    return result
