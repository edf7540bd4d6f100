# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.service_target import (
    containers_with,
    own_ports,
    port_in,
    targets,
)

HTTP: dict[str, t.Any] = {"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}
METRICS: dict[str, t.Any] = {"name": "metrics", "port": 9090, "targetPort": 9090, "protocol": "TCP"}


@pytest.mark.parametrize(
    ("ports", "found"),
    [
        ([], []),
        ([{"port": 8080}], [8080]),
        ([{"port": 80, "targetPort": 3000}], [3000]),
        ([{"port": 80, "targetPort": "web"}], ["web"]),
        ([{"port": 80, "targetPort": "3000"}], [3000]),
        ([{**HTTP, "name": "a"}, {**HTTP, "name": "b", "port": 81}], ["web"]),  # two ports, one target
        ([METRICS, HTTP], ["web"]),
        ([METRICS, {**HTTP, "name": "mcp"}, {**HTTP, "targetPort": 1}], ["web"]),
        ([METRICS, {**HTTP, "name": "main", "appProtocol": "http"}], ["web"]),
        ([METRICS, {**HTTP, "name": "main", "appProtocol": "kubernetes.io/h2c"}], ["web"]),
        ([METRICS, {**HTTP, "name": "main"}], [9090, "web"]),
        ([{**METRICS, "appProtocol": "http"}, {**HTTP, "name": "main", "appProtocol": "http"}], [9090, "web"]),
        ([{**HTTP, "protocol": "UDP"}, METRICS], [9090]),
        ([{**HTTP, "name": None}], ["web"]),
    ],
)
def test_where_a_service_leads_to(ports: list[dict[str, t.Any]], found: list[t.Any]) -> None:
    assert targets(ports) == found


def container(name: str, **ports: int) -> dict[str, t.Any]:
    return {"name": name, "ports": [{"name": port, "containerPort": number} for port, number in ports.items()]}


POD: dict[str, t.Any] = {
    "containers": [container("api", web=3000, metrics=9090), container("istio-proxy", proxy=15090)],
    "initContainers": [
        {**container("proxy", auth=4180), "restartPolicy": "Always"},
        container("migrate", never=1),
    ],
}


@pytest.mark.parametrize(
    ("target", "number"),
    [("web", 3000), (3000, 3000), (5, 5), ("auth", 4180), ("never", None), ("other", None)],
)
def test_the_port_in_a_pod(target: int | str, number: int | None) -> None:
    assert port_in(POD, target) == number


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({}, []),
        ({"containers": [container("api", web=3000)]}, [3000]),
        ({"containers": [container("api", mcp=3000, metrics=9090)]}, [3000]),
        ({"containers": [container("api", http=3000), container("istio-proxy", metrics=15090)]}, [3000]),
        ({"containers": [container("api", web=3000, metrics=9090)]}, [3000, 9090]),
        ({"containers": [{"name": "api", "ports": [{"containerPort": 53, "protocol": "UDP"}]}]}, []),
    ],
)
def test_the_ports_of_a_pod_alone(spec: dict[str, t.Any], found: list[int]) -> None:
    assert own_ports(spec) == found


@pytest.mark.parametrize(
    ("wanted", "names"),
    [(["web"], ["api"]), ([3000], ["api"]), ([9090, "proxy"], ["api", "istio-proxy"]), (["x"], []), ([], [])],
)
def test_the_containers_with_a_port(wanted: list[int | str], names: list[str]) -> None:
    assert containers_with(POD["containers"], wanted) == names
