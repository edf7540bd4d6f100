# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._diagnose import causes, findings

FULL = "The API server answered 500 to POST /apis/batch/v1/namespaces/prod/jobs on https://api:6443: "
NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (f"{FULL}etcdserver: mvcc: database space exceeded; etcd is full", "etcd_full"),
        (f'{FULL}Internal error occurred: failed calling webhook "x": connection refused', "webhook"),
        # What is refused to our image alone says nothing of the server's pods.
        ('admission webhook "images" denied the request: no such registry', None),
        ("check mode creates no Job", None),
    ],
)
def test_a_write_that_is_refused_is_refused_to_all(said: str, cause: str | None) -> None:
    found = findings.of_refused_writes([said])
    assert [one.cause for one in found] == ([cause] if cause else [])
    ranked = causes.ranked(found, {}, {"blue": 100, "green": 0}, NOW, {})
    assert [one.name for one in ranked] == ([cause] if cause else [])


@pytest.mark.parametrize(("ready", "expected"), [("False", ["node_lost"]), ("True", [])])
def test_a_pod_whose_node_is_not_ready_is_lost_with_it(ready: str, expected: list[str]) -> None:
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": "2026-11-27T00:00:00Z"}]
    pod = {
        "metadata": {"name": "a", "uid": "1"},
        "spec": {"nodeName": "far", "containers": [{"name": "server"}]},
        "status": {"phase": "Running", "conditions": conditions},
    }
    event = {"reason": "NodeNotReady", "message": "Node is not ready", "involvedObject": {"uid": "1"}}
    assert [one.cause for one in findings.of_pod(pod, "green", [event], NOW, "server", {})] == expected
