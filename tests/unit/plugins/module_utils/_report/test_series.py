# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import connect, packs
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_report
from ansible_collections.mcp.server.plugins.module_utils._report import series
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.records import Store, release

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
START, END = 1795496400.0, 1795497390.0  # the release's
OPTION = {"source": ["kubelet", "envoy", "app"], "labels": {}}
ENVOY_GREEN = 'envoy_cluster_name=~"prod_mcp-green_.*"'
ISTIO_BLUE = (
    'istio_requests_total{destination_workload_namespace=~"prod", destination_workload=~"mcp-blue", '
    'reporter=~"source|waypoint"'
)


class Prometheus:
    """Answers with one series what it has, and keeps what it was asked."""

    def __init__(self, has=("envoy", "mcp_server"), now=END + 1000):
        self.has, self.asked, self._now = has, [], now

    def now(self):
        return self._now

    def samples(self, query, at):
        self.asked.append((query, at))
        return [SimpleNamespace(samples=[(at - 10, 1), (at - 5, 1), (at, 2)])]

    def values(self, query, begin, end, step):
        self.asked.append((query, begin, end, step))
        return [SimpleNamespace(samples=[(begin, 1.0), (end, 2.0)])] if any(name in query for name in self.has) else []


@pytest.mark.parametrize(
    ("outcome", "now", "span"),
    [
        ("succeeded", END + 1000, (START - 60, END + 120)),
        ("succeeded", END + 5, (START - 60, END + 5)),
        ("running", START + 100, (START - 60, START + 100)),
        ("running", START - 3600, (START - 60, START - 59)),  # a clock that is wrong
    ],
)
def test_span(outcome, now, span):
    assert series.span(release(outcome), now) == span


def test_span_of_a_record_that_somebody_edited():
    with pytest.raises(Failure, match="its record has no valid time"):
        series.span(release(started=None), END)


def test_read():
    prometheus = Prometheus()
    found = series.read(prometheus, SERVER, release(), OPTION)
    assert [(line["name"], line["pool"]) for line in found] == [
        (name, pool) for name in ("share", "errors", "latency") for pool in ("blue", "green")
    ]
    assert found[0]["points"] == [(START - 60, 1.0), (END + 120, 2.0)]
    # Envoy is named before the application, the kubelet tells none of it, and scrapes are 5 s apart.
    assert len(prometheus.asked) == 9 and all("envoy" in asked[0] for asked in prometheus.asked)
    assert {asked[3] for asked in prometheus.asked if len(asked) == 4} == {5.0}


def test_what_one_source_does_not_have_another_may():
    found = series.read(Prometheus(has=("mcp_server_request_duration",)), SERVER, release(), OPTION)
    assert {line["name"] for line in found} == {"latency"}
    assert series.read(Prometheus(has=()), SERVER, release(), OPTION) == []


@pytest.mark.parametrize(
    ("source", "pool", "name", "query"),
    [
        (
            "envoy",
            "green",
            "latency",
            "1 * histogram_quantile(0.95, "
            f"sum by (le) (rate(envoy_cluster_upstream_rq_time_bucket{{{ENVOY_GREEN}}}[20s])))",
        ),
        (
            "istio",
            "blue",
            "errors",
            f'100 * (sum (rate({ISTIO_BLUE}, response_code=~"5.."}}[20s])) or 0 * sum (rate({ISTIO_BLUE}}}[20s]))) '
            f"/ sum (rate({ISTIO_BLUE}}}[20s]))",
        ),
    ],
)
def test_promql(source, pool, name, query):
    assert series.promql(packs.PACKS[source], SERVER, pool, name, 20.0) == query


def test_promql_of_shares():
    blue, green = (series.promql(packs.PACKS["app"], SERVER, pool, "share", 20.0) for pool in ("blue", "green"))
    assert blue.count("or 0 * sum") == 3  # a pool without series answered nothing
    assert blue != green and blue.count("mcp-blue") == green.count("mcp-green")


@pytest.mark.parametrize("source", [name for name, pack in packs.PACKS.items() if "errors" in pack.measures])
@pytest.mark.parametrize("name", list(series.MEASURES))
def test_no_placeholder_is_left(source, name):
    pack = packs.renamed(packs.PACKS[source], {"pod": "kubernetes_pod_name"})
    query = series.promql(pack, SERVER, "green", name, 20.0)
    assert not [
        word
        for word in ("{blue}", "{green}", "{deployment}", "{namespace}", "{route}", "{pool}", "{server}")
        if word in query
    ]
    assert query.count("{") == query.count("}") and query.count("(") == query.count(")")


def run(monkeypatch, tmp_path, prometheus, warnings):
    monkeypatch.setattr(connection, "connect", lambda params: Store(release()))
    monkeypatch.setattr(connect, "connect", lambda params: prometheus)
    names = {
        "namespace": "prod",
        "server": "mcp",
        "pool_name_format": "{server}-{pool}",
        "route": None,
        "container": None,
    }
    return mcp_report.run(
        Task(
            {
                **names,
                "dest": str(tmp_path),
                "release_id": None,
                "prometheus": OPTION,
                "verdicts": [],
                "kind": None,
                "escalation": [],
                "dashboard_url": None,
            },
            warn=warnings.append,
        )
    )


def test_in_the_report(monkeypatch, tmp_path):
    warnings = []
    result = run(monkeypatch, tmp_path, Prometheus(), warnings)
    assert "and from Prometheus" in Path(result["path"]).read_text() and not warnings
    assert not run(monkeypatch, tmp_path, Prometheus(), warnings)["changed"]


def test_a_prometheus_that_is_down(monkeypatch, tmp_path):
    class Down(Prometheus):
        def now(self):
            raise Failure("Prometheus at http://x does not answer.")

    warnings = []
    result = run(monkeypatch, tmp_path, Down(), warnings)
    assert result["changed"] and warnings == [
        "The report has no series over time: Prometheus at http://x does not answer."
    ]
    assert "made without Prometheus" in Path(result["path"]).read_text()
