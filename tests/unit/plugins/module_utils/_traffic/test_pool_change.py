# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change of a pool reports. What it does is tested with the modules (test_mcp_rollout.py)."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import pool_change
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

SCALER = "/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers/scaler"


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("replicas", "autoscaler", "line"),
    [
        (4, {"name": "scaler", "min_replicas": 4, "original_min_replicas": 1}, "minReplicas 1 -> 4"),
        (1, {"name": "scaler", "min_replicas": 1, "original_min_replicas": 1}, ""),
        (None, None, ""),
    ],
)
def test_an_autoscaler_s_minimum(
    check_mode: bool, replicas: int | None, autoscaler: dict[str, t.Any] | None, line: str
) -> None:
    api = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2"))
    target = {"kind": "Deployment", "name": "mcp-green"}
    api.put(SCALER, {"spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 6}})
    lines: list[str] = []
    result, _condition = pool_change.change(
        Task({"run_id": None}, check_mode, progress=lines.append),
        api,
        Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp"),
        "green",
        replicas=replicas,
    )
    assert result["autoscaler"] == autoscaler
    raised = f"HorizontalPodAutoscaler scaler: {line}"
    assert (raised in lines) is bool(line) is result["changed"] is ("min_replicas" in result["diff"]["after"])
    if line:
        assert (result["diff"]["before"]["min_replicas"], result["diff"]["after"]["min_replicas"]) == (1, 4)


@pytest.mark.parametrize(
    ("container", "image_ref", "refused"),
    [
        ("", "ghcr.io/org/mcp:v2", True),
        ("", "mirror.example/mcp@sha256:" + "a" * 64, True),
        ("", "quay.io/oauth2-proxy:v8", False),
        ("", "ghcr.io/org/new-name:v1", False),
        ("front", "ghcr.io/org/mcp:v2", False),  # named: it is meant
        ("app", "ghcr.io/org/mcp:v2", False),
    ],
)
def test_a_proxy_before_the_server_does_not_get_its_image(container: str, image_ref: str, refused: bool) -> None:
    api = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v1"))
    path = "/apis/apps/v1/namespaces/prod/deployments/mcp-green"
    containers = [
        {"name": "front", "image": "quay.io/oauth2-proxy:v7", "ports": [{"name": "proxy", "containerPort": 4180}]},
        {"name": "app", "image": "ghcr.io/org/mcp:v1", "ports": [{"name": "mcp", "containerPort": 8080}]},
    ]
    api.change(path, {"spec": {"template": {"spec": {"containers": containers}}}})
    ports = [{"name": "http", "port": 80, "targetPort": "proxy"}]
    api.put("/api/v1/namespaces/prod/services/mcp-green", {"spec": {"selector": {"app": "mcp"}, "ports": ports}})
    server = Server("prod", "mcp", "{server}-{pool}", "mcp", container)

    def change() -> None:
        pool_change.change(Task({"run_id": None}, False), api, server, "green", image_ref=image_ref)

    if not refused:
        change()
        return
    with pytest.raises(Failure, match="leads to front, but app has this image now"):
        change()
    assert api.objects[path]["spec"]["template"]["spec"]["containers"] == containers
