# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import math
import threading
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._workload import rollout
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError

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
        SERVER.workload_path("blue"),
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
            self.title, self.label = "Deployment prod/mcp-blue", "blue"

        def state(self) -> rollout.State:
            return found

    lines: list[str] = []
    if ready:
        assert rollout.wait(View(), Deadline(0.01), lines.append, 2) is found
        assert bool(lines) is not ends
    else:
        with pytest.raises(Failure, match="not complete"):
            rollout.wait(View(), Deadline(0.01), lines.append, 2)


UNREADY = {"name": "mcp", "ready": False, "restartCount": 0}
STATUSES: dict[str, dict[str, t.Any]] = {
    "ready": {"conditions": [{"type": "Ready", "status": "True"}]},
    "creating": {"containerStatuses": [{**UNREADY, "state": {"waiting": {"reason": "ContainerCreating"}}}]},
    "not pulled": {
        "containerStatuses": [{**UNREADY, "state": {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}}}]
    },
    "crashing": {"containerStatuses": [own(4, BACKS_OFF)]},
}
EVENTS = "/api/v1/namespaces/prod/events"


def pool_of_ten(status: str, age: float) -> ApiServer:
    """Return a pool whose ten pods have this status, in a namespace with many events."""
    api = cluster({}, "", age)
    pod = api.objects.pop(POD)
    for number in range(10):
        metadata = {**pod["metadata"], "name": f"p{number}", "uid": f"p{number}"}
        api.put(POD.replace("old", f"p{number}"), {**pod, "metadata": metadata, "status": STATUSES[status]})
        mount = {"reason": "FailedMount", "message": "no volume", "type": "Warning"}
        api.put(f"{EVENTS}/e{number}", {**mount, "involvedObject": {"kind": "Pod", "uid": f"p{number}"}})
    for number in range(1000):
        api.put(f"{EVENTS}/other{number}", {"reason": "Pulled", "involvedObject": {"kind": "Pod", "uid": "other"}})
    return api


@pytest.mark.parametrize(
    ("status", "age", "asked"),
    [
        ("ready", 60.0, 0),
        ("creating", 5.0, 0),
        ("creating", 60.0, rollout.MAX_PODS),
        ("not pulled", 60.0, 0),
        ("crashing", 60.0, 0),
    ],
)
def test_how_many_requests_a_look_takes(status: str, age: float, asked: int) -> None:
    api = pool_of_ten(status, age)
    view = rollout.View(api, SERVER, "blue", 30.0)
    for looks in (1, 2):
        found = view.state()
        assert len(api.asked("GET", EVENTS)) == looks * asked
        assert len(api.log) == looks * (3 + asked)
    if status == "creating":
        assert len(found.problems) == asked
    for request in api.log:
        if request.path == EVENTS:
            assert request.query["limit"] == "100" and request.query["fieldSelector"].startswith("involvedObject.uid=p")


def test_events_are_read_side_by_side() -> None:
    """Each request waits until all have come: one after the other, the first would wait in vain."""
    api = pool_of_ten("creating", 60.0)
    together = threading.Barrier(rollout.MAX_PODS, timeout=30.0)
    api.call(together.wait, "GET", EVENTS, times=math.inf)
    assert rollout.View(api, SERVER, "blue", 30.0).state().reason == "FailedMount"


def test_refused_events_are_not_asked_for_again() -> None:
    api = pool_of_ten("creating", 60.0)
    api.refused.add("list events")
    view = rollout.View(api, SERVER, "blue", 30.0)
    assert not view.state().problems and not view.state().problems
    assert len(api.asked("GET", EVENTS)) == rollout.MAX_PODS


def test_an_api_server_that_refuses_events_otherwise_ends_the_look() -> None:
    api = pool_of_ten("creating", 60.0)
    api.fail(StatusError(500, "etcd is broken"), "GET", EVENTS)
    with pytest.raises(Failure, match="etcd is broken"):
        rollout.View(api, SERVER, "blue", 30.0).state()


def test_events_of_the_former_revision_are_not_read() -> None:
    api = pool_of_ten("creating", 60.0)
    before = {"uid": "before", "annotations": {"deployment.kubernetes.io/revision": "6"}}
    owners = [{"uid": "deployment", "controller": True}]
    api.put("/apis/apps/v1/namespaces/prod/replicasets/before", {"metadata": {**before, "ownerReferences": owners}})
    for number in range(10):
        api.objects[POD.replace("old", f"p{number}")]["metadata"]["ownerReferences"] = [
            {"uid": "before", "controller": True}
        ]
    rollout.View(api, SERVER, "blue", 30.0).state()
    assert not api.asked("GET", EVENTS)
