# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change of a pool reports. What it does is tested with the modules (test_mcp_rollout.py)."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Task
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
