# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox's Prometheus and Alertmanager: what gates read is there, stays there, and alerts arrive."""

from __future__ import annotations

import json
import math
import re
import sys
import time
import typing as t

import pytest
import requests
from metrics import (
    LABELS,
    OURS,
    get,
    needs_own_prometheus,
    query,
    until,
    value,
)
from playing import CONFIG, ROOT, blue_again, module

sys.path.append(str(ROOT / "tests" / "tools"))
import dashboard  # noqa: E402

ENVOY = f'{{job="envoy",{OURS},pool="blue"}}'
VERSION = '* on (namespace, pod, container) group_left (version) (up{job="mcp-server"} * 0 + 1)'

pytestmark = needs_own_prometheus


@pytest.fixture(autouse=True, scope="module")
def blue() -> t.Iterator[None]:
    blue_again()
    # A pod that has just started is found within 5 s.
    until(
        "both pods of blue are scraped",
        lambda: value(f'up{{job="mcp-server",{OURS},pool="blue",version="v1.1.5"}}') == 2,
        20,
    )
    yield
    blue_again()


@pytest.mark.parametrize("job", ["mcp-server", "envoy", "kubelet", "cadvisor"])
def test_what_is_scraped_is_up(job: str) -> None:
    ours = f",{OURS}" if job == "mcp-server" else ""

    def states() -> list[float]:
        return [float(series["value"][1]) for series in query(f'up{{job="{job}"{ours}}}')]

    # A pod that is leaving is still a target, and does not answer.
    until(f"all of {job} are up", lambda: (found := states()) and all(found), 60)


def traffic() -> None:
    for _request in range(40):
        host = {"Host": CONFIG["public_host"]}
        requests.get(f"{CONFIG['public_url']}/health", headers=host, timeout=10).raise_for_status()
        requests.post(f"{CONFIG['public_url']}/mcp", headers=host, json={}, timeout=10)


GROWING = [
    f"mcp_server_requests_total{LABELS}",
    f"mcp_server_request_duration_seconds_bucket{LABELS}",
    f"mcp_server_database_requests_total{LABELS}",
    f"envoy_cluster_upstream_rq_xx{ENVOY}",
    f"envoy_cluster_upstream_rq{ENVOY}",
    f"envoy_cluster_upstream_rq_time_bucket{ENVOY}",
    f'container_cpu_usage_seconds_total{{job="cadvisor",{OURS},pool="blue"}} {VERSION}',
]


def test_what_gates_read_grows_under_traffic() -> None:
    before = {expression: value(expression) for expression in GROWING}
    traffic()
    for expression in GROWING:
        until(f"{expression} grows", lambda expression=expression: value(expression) > before[expression], 40)


@pytest.mark.parametrize(
    "expression",
    [
        f"mcp_server_database_errors_total{LABELS}",
        f'container_memory_working_set_bytes{{job="kubelet",{OURS},pool="blue"}} {VERSION}',
        f'container_memory_working_set_bytes{{job="cadvisor",{OURS},pool="blue"}} {VERSION}',
        f'container_spec_memory_limit_bytes{{job="cadvisor",{OURS},pool="blue"}} {VERSION} == {256 * 2**20}',
    ],
)
def test_what_gates_read_is_there_for_each_pod(expression: str) -> None:
    # The kubelet looks at a container that is new 10 to 20 s later.
    series = until(expression, lambda: len(found := query(expression)) == 2 and found, 40)
    assert {one["metric"]["version"] for one in series} == {"v1.1.5"}


@pytest.fixture(scope="module")
def both_pools() -> None:
    """Clients of both pools, with MCP sessions; the share of green moves meanwhile."""
    module("mcp_rollout", f"pool=green image_ref={CONFIG['image']}:v1.2.0 replicas=1")
    traffic()
    module("mcp_traffic_shift", "pool=green weight=50")
    for _number in range(4):
        traffic()
        for pool in ("blue", "green"):
            module("mcp_health", pool=pool, endpoint={"url": CONFIG["public_url"], "host": CONFIG["public_host"]})
        time.sleep(5)


def values(expression: str) -> list[float]:
    """Return what Grafana would show of the last two minutes."""
    now = time.time()
    found = get(f"{CONFIG['prometheus_url']}/api/v1/query_range", query=expression, start=now - 120, end=now, step=5)[
        "data"
    ]["result"]
    points = [float(value) for series in found for _at, value in series["values"]]
    return [value for value in points if math.isfinite(value)]


QUERIES = dashboard.expressions()


@pytest.mark.parametrize("name", QUERIES)
def test_the_dashboard_has_data(both_pools: None, name: str) -> None:
    query = dashboard.filled(QUERIES[name], CONFIG["test_namespace"], "mcp-server", "30s")
    found = until(name, lambda: values(query), 40)
    if name.startswith(("Share", "Memory")):
        assert max(found) > 0 and all(0 <= value <= 100 for value in found)
    if name.startswith(("Requests", "Ready")):
        assert max(found) > 0


def test_the_variables_of_the_dashboard_find_the_server() -> None:
    names = {"namespace": CONFIG["test_namespace"], "server": "mcp-server", "container": "mcp-server"}
    asked = [one for one in json.loads(dashboard.FILE.read_text())["templating"]["list"] if one["type"] == "query"]
    assert {one["name"] for one in asked} == set(names)
    for one in asked:
        query = dashboard.filled(one["query"], CONFIG["test_namespace"], "mcp-server", "30s")
        selector, label = re.fullmatch(r"label_values\((?:(.*), )?(\w+)\)", query).groups()  # type: ignore[union-attr]
        parameters = {"match[]": selector} if selector else {}
        found = get(f"{CONFIG['prometheus_url']}/api/v1/label/{label}/values", **parameters)["data"]
        if one.get("regex"):
            found = [shown[1] for value in found if (shown := re.match(one["regex"].strip("/"), value))]
        assert names[one["name"]] in found


def test_an_alert_of_a_bad_image_arrives() -> None:
    """The quickest of the guide's triggers: more than 10 % of the queries fail for a minute. The server asks its
    database by itself.
    """
    module("mcp_rollout", f"pool=green image_ref={CONFIG['image']}:v1.2.1-database replicas=1")

    def alerts() -> list[dict[str, str]]:
        found = get(
            f"{CONFIG['alertmanager_url']}/api/v2/alerts",
            filter=['alertname="McpServerDatabaseErrors"', f'namespace="{CONFIG["test_namespace"]}"'],
        )
        return [alert["labels"] for alert in found]

    labels = until("the alert", alerts, 150)[0]
    assert (labels["server"], labels["pool"], labels["version"], labels["trigger"]) == (
        "mcp-server",
        "green",
        "v1.2.1-database",
        "database",
    )
