# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._debug import asking
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "")
GREEN = "/api/v1/namespaces/prod/services/mcp-green"


@pytest.fixture
def api() -> ApiServer:
    api = ApiServer(mcp_server("prod", "mcp", blue="r/x:1", green="r/x:2"))
    Controllers(api)
    return api


def params(**more: t.Any) -> dict[str, t.Any]:
    return {"endpoint": None, "health_path": None, "health_checks": [], **more}


def targets(found: asking.Found) -> list[str]:
    return [f"{probe.kind} {probe.target}" for probe in found.probes]


def test_both_pools_are_asked_for_all_that_they_serve(api: ApiServer) -> None:
    option = {**endpoint.defaults(), "url": "https://mcp.example", "mcp_path": "/x"}
    found = asking.of_server(api, SERVER, params(health_path="/healthz", endpoint=option))
    assert not found.notes
    assert targets(found) == [
        f"{what}"
        for pool in ("blue", "green")
        for what in (
            f"dns mcp-{pool}.prod.svc",
            f"tcp mcp-{pool}.prod.svc:80",
            f"http http://mcp-{pool}.prod.svc:80/healthz",
            f"mcp http://mcp-{pool}.prod.svc:80/x",
        )
    ]
    assert {probe.host for probe in found.probes if probe.kind in ("http", "mcp")} == {"mcp.example"}


def test_pods_with_tls_and_a_host_of_their_own(api: ApiServer) -> None:
    option = {**endpoint.defaults(), "pods": {"scheme": "https", "host": "pods.example"}}
    (_tcp, mcp) = asking.at("127.0.0.1", 8443, params(endpoint=option))
    assert mcp == ("mcp", "https://127.0.0.1:8443/mcp", "pods.example")
    assert asking.at("127.0.0.1", 1, params())[1].host == ""


def test_a_pool_without_a_ready_pod_is_asked_for_its_name_only(api: ApiServer) -> None:
    for path in [path for path in api.objects if "/endpointslices/mcp-green" in path]:
        del api.objects[path]
    found = asking.of_server(api, SERVER, params())
    assert targets(found)[2:] == ["mcp http://mcp-blue.prod.svc:80/mcp", "dns mcp-green.prod.svc"]
    assert len(found.notes) == 1 and "pool green has no ready pod" in found.notes[0]


def test_a_service_that_cannot_be_read_is_a_note(api: ApiServer) -> None:
    del api.objects[GREEN]
    found = asking.of_server(api, SERVER, params())
    assert targets(found)[-1] == "dns mcp-green.prod.svc" and "does not exist" in found.notes[0]
    api.refused.add("list endpointslices")
    found = asking.of_server(api, SERVER, params())
    assert targets(found) == ["dns mcp-blue.prod.svc", "dns mcp-green.prod.svc"] and len(found.notes) == 2


@pytest.mark.parametrize(
    ("ports", "wanted", "expected", "headless"),
    [
        ([{"port": 80, "targetPort": 8000}], None, 80, False),
        ([{"port": 80, "targetPort": "http"}], None, 80, False),
        ([{"port": 80, "targetPort": 8000}], None, 8000, True),
        ([{"port": 80, "targetPort": "http"}], None, 80, True),
        ([{"port": 9, "name": "metrics"}, {"port": 80, "name": "mcp", "targetPort": 8000}], None, 80, False),
        ([{"port": 9, "targetPort": 9}, {"port": 81, "targetPort": "8000"}], 8000, 81, False),
        ([{"port": 80}], 9999, 80, False),
        ([{"port": 53, "protocol": "UDP"}], None, None, False),
        ([], None, None, False),
        (None, None, None, False),
    ],
)
def test_which_port_of_a_service_leads_to_mcp(
    ports: list[dict[str, t.Any]] | None, wanted: int | None, expected: int | None, headless: bool
) -> None:
    spec = {"ports": ports, **({"clusterIP": "None"} if headless else {})}
    assert asking.port_of({"spec": spec}, wanted) == expected
