# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus is away for everybody, so nothing that reads metrics runs beside this."""

from __future__ import annotations

import time
import typing as t

import pytest
from breaching import needs_admin, words
from metrics import (
    LABELS,
    OURS,
    needs_own_prometheus,
    query,
    until,
    value,
)
from playing import blue_again, clients, kubectl, rest, running, weights
from playing import until as until_it_says
from soaking import soak

pytestmark = [soak, needs_own_prometheus]


@pytest.fixture(autouse=True)
def blue() -> t.Iterator[None]:
    blue_again()
    yield
    blue_again()


def test_data_outlives_the_pod() -> None:
    until(
        "both pods of blue are scraped",
        lambda: value(f'up{{job="mcp-server",{OURS},pool="blue",version="v1.1.5"}}') == 2,
        20,
    )
    at = time.time() - 10
    counters = f"sum by (pod) (mcp_server_requests_total{LABELS})"
    before = query(counters, time=at)
    assert before
    kubectl("-n", "monitoring", "delete", "pod", "-l", "app=prometheus")
    kubectl("-n", "monitoring", "rollout", "status", "deployment/prometheus", "--timeout=50s")
    assert query(counters, time=at) == before
    start = time.time()
    until(
        "it scrapes again",
        lambda: (
            query(f'up{{job="mcp-server",{OURS}}}')
            and value(f'timestamp(up{{job="mcp-server",{OURS}}}) >= bool {start}') >= 2
        ),
        30,
    )


@needs_admin
def test_a_minute_without_prometheus_costs_only_time(tmp_path):
    """Under load, so that there is much to be wrong about."""
    prometheus = ("-n", "monitoring", "scale", "deployment/prometheus")
    with (
        clients(tmp_path, 100),
        running(*words("v1.2.0", [{"weight": 10, "seconds": 30}, {"weight": 100, "seconds": 1}])) as process,
    ):
        until_it_says(process, "green 10 %, 5 of")
        kubectl(*prometheus, "--replicas=0")
        try:
            until_it_says(process, "cannot measure")
            time.sleep(60)
        finally:
            kubectl(*prometheus, "--replicas=1")
        said = rest(process)
    assert process.returncode == 0, said
    assert weights() == {"blue": 0, "green": 100}
