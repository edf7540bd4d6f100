# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health as health_module
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.modules import mcp_health
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import MODERN, Scripted
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services

PODS = "/api/v1/namespaces/mcp/pods"
SLICE = "/apis/discovery.k8s.io/v1/namespaces/mcp/endpointslices/weather-green-1"


def cluster_of(pods: dict[str, tuple[int, bool]]) -> ApiServer:
    """Return a cluster whose pool green has these pods.

    pods: the local port that stands for the pod's (0: none), and whether the pod is ready.
    """
    api = ApiServer(pool_services("mcp", "weather"))
    for name, (port, ready) in pods.items():
        status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
        api.put(f"{PODS}/{name}", {"metadata": {"labels": {"app": "weather", "pool": "green"}}, "status": status})
        if port:
            api.ports[name] = port
    endpoints = [
        {"targetRef": {"kind": "Pod", "name": name}, "conditions": {"ready": ready}}
        for name, (_port, ready) in pods.items()
    ]
    api.put(
        SLICE,
        {
            "metadata": {"labels": {"kubernetes.io/service-name": "weather-green"}},
            "endpoints": endpoints,
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        },
    )
    return api


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., dict[str, t.Any]]:
    def call(cluster: ApiServer | None = None, lines: list[str] | None = None, **given: t.Any) -> dict[str, t.Any]:
        monkeypatch.setattr(targets, "connect", lambda _params: cluster)
        validation = ArgumentSpecValidator(health_module.SPEC.options, **health_module.SPEC.rules()).validate(given)
        assert not validation.error_messages
        return health_module.run(
            Task(validation.validated_parameters, progress=(lines if lines is not None else []).append)
        )

    return call


def test_all_ready_pods_of_a_pool_side_by_side_under_the_public_host(run: t.Any) -> None:
    meeting = threading.Barrier(3, timeout=5)

    def together(handler: t.Any, message: t.Any) -> None:
        meeting.wait()
        MODERN["GET"](handler, message)

    with Scripted({**MODERN, "GET": together}) as server:
        cluster = cluster_of(
            {
                "b": (server.server_port, True),
                "a": (server.server_port, True),
                "c": (server.server_port, True),
                "d": (0, False),
            }
        )
        result = run(
            cluster, namespace="mcp", server="weather", pool="green", endpoint={"url": "https://mcp.example.com"}
        )
    assert cluster.log[0].path == "/api/v1/namespaces/mcp/services/weather-green"
    assert (cluster.log[1].path, cluster.log[1].query) == (PODS, {"labelSelector": "app=weather,pool=green"})
    assert sorted(one.path for one in cluster.log[2:]) == [f"{PODS}/{name}/portforward" for name in "abc"]
    assert {one.query["ports"] for one in cluster.log[2:]} == {"8080"}
    assert (result["changed"], result["healthy"]) == (False, True)
    assert [one["target"] for one in result["servers"]] == ["pod mcp/a", "pod mcp/b", "pod mcp/c"]
    assert {headers["Host"] for _key, headers in server.seen} == {"mcp.example.com"}


def test_one_unhealthy_pod_fails_the_pool_with_the_evidence_of_all(run: t.Any) -> None:
    with Scripted(MODERN) as server, pytest.raises(Failure) as caught:
        run(
            cluster_of({"a": (server.server_port, True), "b": (0, True)}),
            namespace="mcp",
            server="weather",
            pool="green",
        )
    assert caught.value.msg == "1 of 2 servers failed: pod mcp/b is not healthy: Cannot forward a port to mcp/b."
    assert [one["healthy"] for one in caught.value.evidence["servers"]] == [True, False]
    assert caught.value.evidence["healthy"] is False


def test_a_service_is_one_of_its_ready_pods(run: t.Any) -> None:
    with Scripted(MODERN) as server:
        cluster = cluster_of({"a": (0, False), "b": (server.server_port, True), "c": (0, True)})
        result = run(cluster, namespace="mcp", service="weather-green")
    assert [one["target"] for one in result["servers"]] == ["pod mcp/b"]
    assert {headers["Host"] for _key, headers in server.seen} == {"localhost:8080"}


def test_a_pool_without_ready_pods_is_waited_for(run: t.Any) -> None:
    lines: list[str] = []
    with Scripted(MODERN) as server:
        cluster = cluster_of({"a": (server.server_port, False)})
        ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        threading.Timer(0.5, cluster.change, (f"{PODS}/a/status", ready)).start()
        assert run(cluster, lines, namespace="mcp", server="weather", pool="green", wait_timeout=10)["healthy"]
    assert lines == [
        "None of the 1 pods of pool green (Service mcp/weather-green, which selects app=weather,pool=green) is ready. "
        "Still trying, 10 s left."
    ]


def test_a_wait_ends(run: t.Any) -> None:
    started = time.monotonic()
    with pytest.raises(Failure, match="is not healthy: connection was refused"):
        run(endpoint={"url": "http://127.0.0.1:1"}, wait_timeout=0.5)
    assert 0.4 < time.monotonic() - started < 2


def test_the_result_has_what_is_documented_and_nothing_else(run: t.Any) -> None:
    with Scripted(MODERN) as server:
        result = run(endpoint={"url": server.url})
    returned = yaml.safe_load(mcp_health.RETURN)
    assert result.keys() - {"changed"} == returned.keys()
    assert result["servers"][0].keys() == returned["servers"]["contains"].keys()
    assert result["servers"][0]["steps"][0].keys() == returned["servers"]["contains"]["steps"]["contains"].keys()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"timeout": 0.5}, "timeout must be at least 1 s"),
        ({"step_timeout": 0}, "step_timeout more than 0"),
        ({"stability": {"rounds": 0}}, "stability.rounds must be at least 1"),
        ({"mcp": False, "calls": [{"tool": "forecast"}]}, "calls and stability need MCP"),
        ({"auth": {"expect_401": True}, "stability": {"rounds": 2}}, "remove calls, stability"),
        (
            {"calls": [{"tool": "forecast", "that": ["isError ="]}]},
            r"calls \(tool forecast\) expression 'isError =' is not JMESPath",
        ),
        ({"auth": {"token_secret": {"name": "probe"}}}, "auth names a Secret, which needs the option namespace"),
        (
            {"endpoint": {"url": "https://127.0.0.1:1", "client_cert": "/nowhere.pem"}},
            "client_cert /nowhere.pem cannot be used",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_asked(run: t.Any, given: dict[str, t.Any], said: str) -> None:
    with pytest.raises(Failure, match=said):
        run(**{"endpoint": {"url": "http://127.0.0.1:1"}, **given})


WELL, ILL = {"healthy": True, "reason": None}, {"healthy": False, "reason": "GET /health returned 503 (starting)."}


@pytest.mark.parametrize(
    ("servers", "sentence"),
    [
        ([WELL], None),
        ([WELL, WELL], None),
        ([ILL], "pod mcp/0 is not healthy: GET /health returned 503 (starting)."),
        ([WELL, ILL], "1 of 2 servers failed: pod mcp/1 is not healthy: GET /health returned 503 (starting)."),
        (
            [ILL, WELL, ILL],
            "2 of 3 servers failed: pod mcp/0 is not healthy: GET /health returned 503 (starting); "
            "pod mcp/2 is not healthy: GET /health returned 503 (starting).",
        ),
    ],
)
def test_the_failure_is_one_sentence(servers: list[dict[str, t.Any]], sentence: str | None) -> None:
    named = [{"target": f"pod mcp/{number}", **server} for number, server in enumerate(servers)]
    assert health_module.failure_sentence(named) == sentence
