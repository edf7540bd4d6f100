# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._status import instances

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
READY = [{"type": "Ready", "status": "True"}]
OOM = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-27T21:55:00Z"}}


def status(name="mcp", **more):
    return {"name": name, "restartCount": 0, "ready": True, "imageID": f"r/x@{DIGEST}", **more}


def pod(*statuses, spec=None, phase="Running", conditions=None, metadata=None, **more):
    limits = {"memory": "256Mi", "cpu": "500m"}
    containers = [{"name": "mcp", "image": "r:5000/x:v1.1.5", "resources": {"limits": limits}}, {"name": "proxy"}]
    return {
        "metadata": {
            "name": "p",
            "namespace": "prod",
            "labels": {"pool": "blue"},
            "creationTimestamp": "2026-11-27T21:00:00Z",
            **(metadata or {}),
        },
        "spec": {"nodeName": "n1", "containers": containers, **(spec or {})},
        "status": {
            "phase": phase,
            "conditions": READY if conditions is None else conditions,
            "containerStatuses": list(statuses),
            **more,
        },
    }


USAGE = {
    "p": {
        "metadata": {"name": "p"},
        "containers": [
            {"name": "mcp", "usage": {"memory": "65536Ki", "cpu": "20m"}},
            {"name": "proxy", "usage": {"memory": "1Mi", "cpu": "5m"}},
        ],
    }
}


def test_all_of_it():
    found = instances.describe(pod(status(restartCount=3, lastState=OOM)), "mcp", "blue", USAGE, NOW)
    assert found == {
        "namespace": "prod",
        "pod": "p",
        "pool": "blue",
        "labels": {"pool": "blue"},
        "node": "n1",
        "ready": True,
        "state": "Running",
        "finished": False,
        "version": "v1.1.5",
        "health_version": None,
        "instance_id": None,
        "image_ref": "r:5000/x:v1.1.5",
        "digest": DIGEST,
        "restarts": 3,
        "restart_reason": "OOMKilled, exit code 137",
        "restarted_at": "2026-11-27T21:55:00Z",
        "created": "2026-11-27T21:00:00Z",
        "age_seconds": 3600,
        "memory_bytes": 64 * 1024.0**2,
        "memory_limit_bytes": 256 * 1024.0**2,
        "cpu_cores": pytest.approx(0.02),
        "cpu_limit_cores": pytest.approx(0.5),
        "sessions": None,
        "problem": None,
    }


def test_without_a_container_all_of_them_count():
    found = instances.describe(pod(status()), "", None, USAGE, NOW)
    assert found["memory_bytes"] == 65 * 1024.0**2
    # One of them has no limit, so the pod has none.
    assert found["memory_limit_bytes"] is None


@pytest.mark.parametrize("usage", [{}, {"p": {}}, {"p": {"containers": [{"name": "mcp", "usage": None}]}}])
def test_what_is_not_measured_is_nothing(usage):
    found = instances.describe(pod(status()), "mcp", "blue", usage, NOW)
    assert found["memory_bytes"] is None and found["cpu_cores"] is None and found["memory_limit_bytes"]


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (pod(status()), "Running"),
        (pod(status(state={"waiting": {"reason": "CrashLoopBackOff"}})), "CrashLoopBackOff"),
        (pod(status(state={"terminated": {"reason": "Error"}})), "Error"),
        (pod(phase="Pending", conditions=[]), "Pending"),
        (pod(phase="Pending", conditions=[{"type": "PodScheduled", "reason": "Unschedulable"}]), "Unschedulable"),
        (pod(phase="Failed", reason="Evicted"), "Evicted"),
        (pod(status(), metadata={"deletionTimestamp": "2026-11-27T21:59:00Z"}), "Terminating"),
        (pod(initContainerStatuses=[{"name": "wait", "state": {"running": {}}}]), "Init:wait"),
        (pod(status(), initContainerStatuses=[{"name": "a", "state": {"terminated": {"exitCode": 0}}}]), "Running"),
        (pod(status(state={"waiting": {"reason": "x" * 1000}})), "x" * 57 + "..."),
        ({}, "Unknown"),
    ],
)
def test_states(one, state):
    assert instances.state(one) == state


@pytest.mark.parametrize(
    ("statuses", "restarts", "reason"),
    [
        ([status()], 0, ""),
        ([status(restartCount=2)], 2, ""),
        ([status(restartCount=1, lastState=OOM), status("proxy", restartCount=2)], 3, "OOMKilled, exit code 137"),
        (
            [
                status(restartCount=1, lastState={"terminated": {"exitCode": 1}}),
                status("proxy", restartCount=1, lastState=OOM),
            ],
            2,
            "proxy: OOMKilled, exit code 137",
        ),
        ([status(restartCount=1, lastState={"terminated": {"reason": "Error"}})], 1, "Error"),
        (
            [status(restartCount=1, lastState={"terminated": {"reason": "Error", "exitCode": 137}}, state=OOM)],
            1,
            "OOMKilled, exit code 137",
        ),
        (
            [status(restartCount=1, lastState=OOM, state={"terminated": {"exitCode": 0, "finishedAt": "2026-12-01"}})],
            1,
            "OOMKilled, exit code 137",
        ),
        ([status(restartCount="many", lastState={"terminated": "x"})], 0, ""),
    ],
)
def test_restarts(statuses, restarts, reason):
    assert instances.restarted(pod(*statuses), "mcp")[:2] == (restarts, reason)


@pytest.mark.parametrize(
    ("image_ref", "tag"),
    [("r:5000/x:v1", "v1"), ("r:5000/x", ""), ("x:v1@sha256:aa", "v1"), ("x@sha256:aa", ""), ("", "")],
)
def test_tags(image_ref, tag):
    assert instances.tag_of(image_ref) == tag
