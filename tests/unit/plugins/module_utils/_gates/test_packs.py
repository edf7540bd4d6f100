# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each source of metrics: what is asked of Prometheus, and whose answers count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import options, packs
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Level, names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import Histogram, Utilization
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import SETS
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.metrics import SERVER, START, counter, growing, verdict

PAGE = (Path(__file__).parents[5] / "docs" / "gates.md").read_text()
ERRORS = Gate("errors", "errors", 5.0)

# By source: the counter of requests, its label of the HTTP status, and labels of green, of blue and of another server.
LABELS = {
    "envoy": (
        "envoy_cluster_upstream_rq",
        "envoy_response_code",
        {"envoy_cluster_name": "prod_mcp-green_8080"},
        {"envoy_cluster_name": "prod_mcp-blue_8080"},
        {"envoy_cluster_name": "prod_mcp-green-tools_8080"},
    ),
    "istio": (
        "istio_requests_total",
        "response_code",
        {"reporter": "source", "destination_workload_namespace": "prod", "destination_workload": "mcp-green"},
        {"reporter": "source", "destination_workload_namespace": "prod", "destination_workload": "mcp-blue"},
        {"reporter": "source", "destination_workload_namespace": "prod", "destination_workload": "green"},
    ),
    "otel": (
        "http_server_request_duration_seconds_count",
        "http_response_status_code",
        {"namespace": "prod", "pod": "mcp-green-7d9f5c-abcde"},
        {"namespace": "prod", "pod": "mcp-blue-7d9f5c-abcde"},
        {"namespace": "prod", "pod": "mcp-green-x-7d9f5c-abcde"},
    ),
    "ingress_nginx": (
        "nginx_ingress_controller_requests",
        "status",
        {"namespace": "prod", "ingress": "mcp", "service": "mcp-blue", "canary": "prod-mcp-green-8080"},
        {"namespace": "prod", "ingress": "mcp", "service": "mcp-blue", "canary": ""},
        {"namespace": "prod", "ingress": "mcp", "service": "other", "canary": ""},
    ),
}


@pytest.mark.parametrize("source", LABELS)
def test_errors(source):
    name, code, green, blue, other = LABELS[source]

    def answers(good, bad, labels):
        return [
            counter(name, growing(*[amount] * 10), **{code: status}, **labels)
            for status, amount in (("200", good), ("503", bad))
        ]

    found = verdict(ERRORS, answers(90, 10, green) + answers(0, 100, blue) + answers(0, 100, other), pack=source)
    assert (found.verdict, found.value, found.requests) == ("breach", 10.0, 1000)


def test_the_stable_pool_of_an_ingress():
    """That is the main one's, and its answers have no canary."""
    labels = {"namespace": "prod", "ingress": "mcp", "service": "mcp-green", "canary": ""}
    found = verdict(
        ERRORS,
        [counter("nginx_ingress_controller_requests", growing(*[90] * 10), status="200", **labels)],
        pack="ingress_nginx",
    )
    assert found.requests == 900


@pytest.mark.parametrize(("source", "unit"), [("envoy", 1000), ("istio", 1000)])
def test_milliseconds(source, unit):
    name = packs.PACKS[source].measures["latency"].name
    labels = LABELS[source][2]
    series = [
        counter(f"{name}_bucket", growing(*[amount] * 10), le=le, **labels)
        for le, amount in (("250", 90), ("500", 94), ("1000", 100), ("+Inf", 100))
    ]
    assert packs.PACKS[source].measures["latency"].seconds == 1 / unit
    found = verdict(Gate("latency", "latency", 0.5, unit="s", quantile=0.95), series, pack=source)
    assert found.value == pytest.approx(0.5 + 0.5 / 6)


def test_mcp_errors_by_the_conventions_of_opentelemetry():
    labels = LABELS["otel"][2]
    name = "mcp_server_operation_duration_seconds_count"
    series = [
        counter(
            name,
            growing(*[amount] * 10),
            mcp_method_name="tools/call",
            **labels,
            **({"error_type": error} if error else {}),
        )
        for error, amount in (("", 90), ("tool_error", 6), ("-32602", 4))
    ]
    assert verdict(Gate("mcp_errors", "mcp_errors", 5.0), series, pack="otel").value == 10.0


def test_a_subscription_is_not_slow():
    labels = LABELS["otel"][2]
    series = [
        counter(
            "mcp_server_operation_duration_seconds_bucket",
            growing(*[amount] * 10),
            le=le,
            mcp_method_name=method,
            **labels,
        )
        for method, le, amount in (
            ("tools/call", "0.5", 100),
            ("tools/call", "+Inf", 100),
            ("subscriptions/listen", "0.5", 0),
            ("subscriptions/listen", "+Inf", 50),
        )
    ]
    assert verdict(Gate("latency", "latency", 0.5, quantile=0.95), series, pack="otel").verdict == "pass"


def test_the_query():
    dotted = Server("prod", "mcp.v2", "{server}-{pool}", "mcp", "mcp.v2")
    query = packs.renamed(packs.PACKS["kubelet"], {"pod": "pod_name"}).query(names_of(dotted, "green"), 100.2)
    assert query == (
        '{__name__=~"container_memory_working_set_bytes|container_spec_memory_limit_bytes|'
        'kube_pod_container_resource_limits", namespace=~"prod", '
        'pod_name=~"mcp[.]v2-blue-[0-9a-z]+-[0-9a-z]+|mcp[.]v2-green-[0-9a-z]+-[0-9a-z]+", container=~"mcp[.]v2"}[101s]'
    )


@pytest.mark.parametrize("name", packs.PACKS)
def test_every_pack_selects_only_its_server(name):
    query = packs.PACKS[name].query(names_of(SERVER, "green"), 60)
    assert "prod" in query
    assert not re.search("[{][a-z]+[}]", query.partition("}[")[0][1:])


def test_labels_that_are_called_otherwise():
    pack = packs.renamed(packs.PACKS["kubelet"], {"pod": "pod_name"})
    labels = {"namespace": "prod", "pod_name": "mcp-green-7d9f5c-abcde", "container": "mcp"}
    series = [
        Series({"__name__": name, **labels}, [(START, value)])
        for name, value in (("container_memory_working_set_bytes", 5.0), ("container_spec_memory_limit_bytes", 10.0))
    ]
    found = pack.select(series, names_of(SERVER, "green"))
    levels = pack.measures["memory"].evaluate(found, Gate("memory", "memory", 90.0)).levels
    assert levels == [Level(START, 50.0, START, START)]


def test_labels_with_dots():
    """Prometheus 3 takes them, in quotes."""
    query = packs.renamed(packs.PACKS["app"], {"pod": "k8s.pod.name"}).query(names_of(SERVER, "green"), 60)
    assert ', namespace=~"prod", "k8s.pod.name"=~"mcp-blue-' in query
    assert packs.quoted('a"b') == '"a\\"b"'


def test_labels_of_a_measure_that_are_called_otherwise():
    renamed = packs.renamed(packs.PACKS["kubelet"], {"resource": "kind", "pod": "pod_name"})
    memory = renamed.measures["memory"]
    assert isinstance(memory, Utilization) and memory.limits[1].labels == {"kind": "memory"}
    assert renamed.pod_label == "pod_name"
    latency = packs.renamed(packs.PACKS["otel"], {"mcp_method_name": "method"}).measures["latency"]
    assert isinstance(latency, Histogram) and list(latency.labels) == ["method"]


@pytest.mark.parametrize("name", [7, None, "", ["pod_name"], {}])
def test_names_of_labels_that_are_none(name):
    with pytest.raises(Failure, match=r"^prometheus\.labels\.pod must be the name of a label"):
        packs.chosen({"source": ["app"], "labels": {"pod": name}})


def test_the_options_the_page_and_these_tests_name_every_pack():
    assert set(options.SOURCES) == set(packs.PACKS) == set(re.findall(r"^\| `(\w+)` \| `", PAGE, re.MULTILINE))
    assert set(LABELS) == set(packs.PACKS) - {"app", "kubelet"}  # whose pods are found as those of otel are


def test_the_page_has_every_gate_of_every_set():
    rows, named = re.findall(r"^\| (\w*) ?\| (\w+) \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE), ""
    found: dict[str, list[str]] = {}
    for of_set, name in rows[1:]:
        named = of_set or named
        found.setdefault(named, []).append(name)
    assert found == {name: [gate.name for gate in gates] for name, gates in SETS.items()}


def test_every_gate_can_be_measured():
    known = {measure for pack in packs.PACKS.values() for measure in pack.measures}
    assert {gate.measure for gates in SETS.values() for gate in gates} <= known


def named(blue, green):
    """Return a server whose pools have these objects: (kind, name)."""
    pools = {pool: PoolObjects(name, kind, name) for pool, (kind, name) in {"blue": blue, "green": green}.items()}
    return Server("prod", "forecast", "{server}-{pool}", "forecast", "api", **pools)


@pytest.mark.parametrize(
    ("blue", "green", "of_blue", "of_green"),
    [
        (
            ("Deployment", "weather"),
            ("Deployment", "weather-green"),
            ["weather-7d9f5c-abcde"],
            ["weather-green-7d9f5c-abcde"],
        ),
        (
            ("StatefulSet", "weather"),
            ("StatefulSet", "weather-green"),
            ["weather-0", "weather-12"],
            ["weather-green-0"],
        ),
        (("Deployment", "weather"), ("StatefulSet", "weather-green"), ["weather-7d9f5c-abcde"], ["weather-green-0"]),
        (("StatefulSet", "weather"), ("Deployment", "weather-0"), ["weather-0"], ["weather-0-7d9f5c-abcde"]),
        (("Deployment", "v2.weather"), ("Deployment", "v1"), ["v2.weather-7d9f5c-abcde"], ["v1-7d9f5c-abcde"]),
    ],
)
def test_pods_of_a_pool_whose_name_begins_with_that_of_the_other(blue, green, of_blue, of_green):
    server = named(blue, green)
    for pool, pods in (("blue", of_blue), ("green", of_green)):
        names = names_of(server, pool)
        found = [pod for pod in (*of_blue, *of_green, "v2xweather-7d9f5c-abcde") if re.fullmatch(names["pods"], pod)]
        assert found == pods
        assert all(re.fullmatch(names["both_pods"], pod) for pod in (*of_blue, *of_green))


@pytest.mark.parametrize(
    ("source", "label", "blue", "green"),
    [
        ("envoy", "envoy_cluster_name", "prod_weather_80", "prod_weather-green_80"),
        ("ingress_nginx", "canary", "prod-weather-80", "prod-weather-green-80"),
    ],
)
def test_services_of_which_one_s_name_begins_with_the_other_s(source, label, blue, green):
    server = named(("Deployment", "weather"), ("Deployment", "weather-green"))
    for pool, value in (("blue", blue), ("green", green)):
        pattern = packs.render(packs.PACKS[source].pools[0], names_of(server, pool))[label]
        assert [one for one in (blue, green) if re.fullmatch(pattern, one)] == [value]
