# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._workload import rollout
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
POD = "/api/v1/namespaces/prod/pods/old"
LABELS = {"app": "mcp", "pool": "blue"}
REVISION = {"deployment.kubernetes.io/revision": "7"}


def cluster(status: dict[str, t.Any], reason: str, age: float, ahead: float = 0.0) -> ApiServer:
    """Return a pool of one pod, which is not ready. reason: of the condition Progressing. age: of the pod, in s."""

    def owned(name: str, by: str) -> dict[str, t.Any]:
        return {
            "uid": name,
            "labels": LABELS,
            "annotations": REVISION,
            "ownerReferences": [{"uid": by, "controller": 1}],
        }

    api = ApiServer({})
    api.ahead = ahead
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "mcp", "image": "r.io/mcp:v1"}]}}
    progressing = {"type": "Progressing", "status": "True", "reason": reason}
    api.put(
        SERVER.deployment_path("blue"),
        {
            "metadata": owned("deployment", ""),
            "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
            "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "conditions": [progressing]},
        },
    )
    api.put("/apis/apps/v1/namespaces/prod/replicasets/rs", {"metadata": owned("rs", "deployment")})
    created = _times.iso(api.now() - datetime.timedelta(seconds=age))
    metadata = {**owned("old", "rs"), "creationTimestamp": created}
    api.put(POD, {"metadata": metadata, "spec": template["spec"], "status": {"containerStatuses": [status]}})
    return api


def own(restarts: int, state: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    last = {"terminated": {"exitCode": 1}}
    return {
        "name": "mcp",
        "ready": False,
        "restartCount": restarts,
        "state": state or {"running": {}},
        "lastState": last,
    }


BACKS_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0])
@pytest.mark.parametrize(
    ("changed_ago", "reason", "age", "counts"),
    [
        (1.0, "NewReplicaSetAvailable", 5000, False),
        (1.0, "ReplicaSetUpdated", 5000, False),
        (60.0, "NewReplicaSetAvailable", 20, True),
        # This run changed nothing: the rollout of another one goes on, or none
        (None, "ReplicaSetUpdated", 5000, True),
        (None, "NewReplicaSetAvailable", 5000, False),
    ],
)
def test_restarts_from_before_the_rollout(
    changed_ago: float | None, reason: str, age: float, counts: bool, ahead: float
) -> None:
    api = cluster(own(4, BACKS_OFF), reason, age, ahead)
    view = rollout.View(api, SERVER, "blue", 30.0, changed_ago=changed_ago)
    found = view.state()
    assert bool(found.failed) is counts
    assert "pod old: container mcp was restarted 4 times, last after exit code 1" in found.problems
    api.change(f"{POD}/status", {"status": {"containerStatuses": [own(5)]}})
    assert bool(view.state().failed) is counts
    api.change(f"{POD}/status", {"status": {"containerStatuses": [own(5, BACKS_OFF)]}})
    assert view.state().failed


def test_the_progress_and_the_end_say_what_is_waited_for() -> None:
    view = rollout.View(cluster(own(4, BACKS_OFF), "", 5000), SERVER, "blue", 30.0, changed_ago=1.0)
    lines: list[str] = []
    with pytest.raises(Failure, match=r"0 of 1 pods ready \(pod old: container mcp was restarted 4 times"):
        rollout.wait(view, Deadline(0.01), lines.append)
    assert lines[0] == (
        "blue: 0 of 1 pods ready (pod old: container mcp was restarted 4 times, last after exit code 1), 0:00 of 0:00"
    )


@pytest.mark.parametrize(("ready", "problems", "ends"), [(1, 2, True), (1, 1, False), (0, 3, False)])
def test_an_emergency_takes_fewer_pods_when_the_others_have_problems(ready: int, problems: int, ends: bool) -> None:
    found = rollout.State(3, ready, problems=("pod x: container mcp was restarted 4 times",) * problems)

    class View(rollout.View):
        def __init__(self) -> None:
            self.name, self.pool = "prod/mcp-blue", "blue"

        def state(self) -> rollout.State:
            return found

    lines: list[str] = []
    if ready:
        assert rollout.wait(View(), Deadline(0.01), lines.append, 2) is found
        assert bool(lines) is not ends
    else:
        with pytest.raises(Failure, match="not complete"):
            rollout.wait(View(), Deadline(0.01), lines.append, 2)
