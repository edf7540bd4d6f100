# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._workload import stateful_sets
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import Object
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import State, state

NOW = datetime.datetime(2026, 11, 23, 10, 1, 0, tzinfo=datetime.UTC)
OLD, NEW, BAD = "mcp-green-aaa", "mcp-green-bbb", "mcp-green-ccc"
CRASHES = {"waiting": {"reason": "CrashLoopBackOff"}}
CLAIMS: Object = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}


def at(seconds_ago: float) -> str:
    return (NOW - datetime.timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def workload(replicas: int = 3, updated: int = 0, available: int = 0, total: int = 3, **more: t.Any) -> Object:
    """Return a StatefulSet whose template is of revision NEW. more: of its spec, but for seen and revision."""
    seen, revision = more.pop("seen", 2), more.pop("revision", NEW)
    counts = {"replicas": total, "updatedReplicas": updated, "availableReplicas": available}
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "mcp-green", "uid": "set", "generation": 2},
        "spec": {"replicas": replicas, **more},
        # The API server leaves out what is 0
        "status": {
            "observedGeneration": seen,
            "currentRevision": OLD,
            "updateRevision": revision,
            **{name: count for name, count in counts.items() if count},
        },
    }


def pod(number: int, revision: str = NEW, *, ready: bool = True, by: str = "set", **more: t.Any) -> Object:
    """Return a pod. more: of its metadata, but for phase and state."""
    phase, running = more.pop("phase", "Running"), more.pop("state", {"running": {"startedAt": at(5)}})
    name = f"mcp-green-{number}"
    own = {"name": "mcp", "state": running, "restartCount": 2 if "waiting" in running else 0, "started": True}
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "labels": {stateful_sets.REVISION: revision},
            "ownerReferences": [{"uid": by, "controller": True}],
            **more,
        },
        "spec": {"containers": [{"name": "mcp"}]},
        "status": {
            "phase": phase,
            "startTime": at(5),
            "containerStatuses": [own],
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def look(case: Object, pods: t.Sequence[Object], events: t.Sequence[Object] = (), **more: t.Any) -> State:
    return state(case, [], pods, events, NOW, "mcp", **more)


def crashing(number: int, revision: str = NEW) -> Object:
    return pod(number, revision, ready=False, state=CRASHES)


def young(number: int, revision: str = NEW) -> Object:
    return pod(number, revision, ready=False)


ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}
PARTITION = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}
PARALLEL = {"podManagementPolicy": "Parallel"}
ALL_NEW = [pod(0), pod(1), pod(2)]


@pytest.mark.parametrize(
    ("case", "pods", "line", "done", "reason"),
    [
        (workload(updated=3, available=3), ALL_NEW, "3 of 3 pods ready", True, ""),
        # minReadySeconds are not over
        (workload(updated=3, available=2), ALL_NEW, "3 of 3 pods ready", False, ""),
        (workload(updated=3, available=3, seen=1), ALL_NEW, "0 of 3 pods ready", False, ""),
        (workload(updated=3, available=3, revision=""), ALL_NEW, "0 of 3 pods ready", False, ""),
        # The last one comes first, and each waits for the one before
        (workload(updated=1, available=2), [pod(0, OLD), pod(1, OLD), young(2)], "0 of 3 pods ready", False, ""),
        (
            workload(updated=1, available=3),
            [pod(0, OLD), pod(1, OLD, deletionTimestamp=at(1)), pod(2)],
            "1 of 3 pods ready",
            False,
            "",
        ),
        (
            workload(updated=1, available=2),
            [pod(0, OLD), pod(1, OLD), crashing(2)],
            "0 of 3 pods ready",
            False,
            "CrashLoopBackOff",
        ),
        # From 0: there is one pod until it is ready
        (workload(updated=1, total=1), [crashing(0)], "0 of 3 pods ready", False, "CrashLoopBackOff"),
        (workload(updated=1, total=1), [young(0)], "0 of 3 pods ready", False, ""),
        (workload(total=0), [], "0 of 3 pods ready", False, ""),
        # Pods of another set with a longer name, and of nobody
        (workload(total=0), [pod(0, by="other")], "0 of 3 pods ready", False, ""),
        (workload(0, total=1), [pod(0, OLD, deletionTimestamp=at(1))], "1 pods still terminating", False, ""),
        (workload(0, total=0), [], "0 of 0 pods ready", True, ""),
        (workload(2, updated=3, available=3), ALL_NEW, "3 of 2 pods ready", False, ""),
        # These keep their pods, which is no matter while there are none to keep
        (workload(updated=0, available=3, **ON_DELETE), [pod(n, OLD) for n in range(3)], "0 of 3", False, "Update"),
        (workload(updated=1, available=3, **PARTITION), [pod(0, OLD), pod(1, OLD), pod(2)], "1 of 3", False, "Update"),
        (workload(updated=3, available=3, **ON_DELETE), ALL_NEW, "3 of 3 pods ready", True, ""),
        (workload(updated=1, total=1, **ON_DELETE), [young(0)], "0 of 3 pods ready", False, ""),
        (
            workload(updated=2, available=3, **ON_DELETE),
            [pod(0, OLD, deletionTimestamp=at(1)), pod(1), pod(2)],
            "2 of 3 pods ready",
            False,
            "",
        ),
    ],
)
def test_state_of_a_rollout(case: Object, pods: list[Object], line: str, done: bool, reason: str) -> None:
    found = look(case, pods)
    assert (str(found).startswith(line), found.done) == (True, done), found
    assert found.reason.startswith(reason) and bool(found.failed) == bool(reason)
    assert found.blocked is None


@pytest.mark.parametrize(
    ("spec", "pods", "pod_and_size", "ready"),
    [
        # The way back: the template is good again, and the last pod is of neither revision
        ({}, [pod(0), pod(1), crashing(2, BAD)], ("mcp-green-2", 2), 0),
        ({}, [crashing(0, BAD)], ("mcp-green-0", 0), 0),
        # On the way to another version
        ({}, [pod(0, OLD), pod(1, OLD), crashing(2, BAD)], ("mcp-green-2", 2), 0),
        ({}, [pod(0, OLD), young(1, BAD), pod(2, BAD)], ("mcp-green-1", 1), 1),
        ({}, [crashing(0, BAD), pod(1, BAD), crashing(2, BAD)], ("mcp-green-0", 0), 1),
        ({"ordinals": {"start": 1}}, [pod(1), pod(2), crashing(3, BAD)], ("mcp-green-3", 2), 0),
        # Nothing is in the way
        (PARALLEL, [pod(0), pod(1), crashing(2, BAD)], None, 0),
        ({}, [pod(0, OLD), pod(1, OLD), crashing(2)], None, 0),
        ({}, [pod(0, OLD), pod(1, OLD), pod(2, OLD)], None, 0),
        # The controller replaces these itself, and removes what is too much
        ({}, [pod(0), pod(1), pod(2, BAD, ready=False, phase="Failed")], None, 0),
        ({}, [pod(0), pod(1), pod(2, BAD, ready=False, deletionTimestamp=at(1))], None, 0),
        ({"replicas": 2}, [pod(0), pod(1), crashing(2, BAD)], None, 0),
        # Of another set
        ({}, [pod(0), pod(1), {**crashing(2, BAD), "metadata": {"name": "mcp-green-2"}}], None, 0),
    ],
)
def test_the_pod_that_an_ordered_set_waits_for(
    spec: Object, pods: list[Object], pod_and_size: tuple[str, int] | None, ready: int
) -> None:
    found = look(workload(updated=1, available=1, **{"replicas": 3, **spec}), pods)
    assert (found.blocked and found.blocked[:2]) == pod_and_size
    assert not found.blocked or found.blocked.ready == ready


@pytest.mark.parametrize(
    ("stuck", "fails", "says"),
    [
        (crashing(2, BAD), True, "pod mcp-green-2: container mcp was restarted 2 times, last after exit code unknown"),
        (young(2, BAD), False, "pod mcp-green-2: is not ready"),
    ],
)
def test_what_is_waited_for_in_vain_is_said(stuck: Object, fails: bool, says: str) -> None:
    found = look(workload(updated=2, available=2), [pod(0), pod(1), stuck])
    (problem,) = found.problems
    assert problem == (
        f"{says}; it is of a former revision, and an OrderedReady StatefulSet replaces no pod until it is ready"
    )
    assert found.failed == (f"{problem}; have that pod replaced (kubectl delete pod mcp-green-2)" if fails else "")
    assert found.reason == ("OrderedReady" if fails else "")


@pytest.mark.parametrize(("spec", "behind"), [({}, 2), (PARALLEL, 0)])
def test_pods_that_come_only_after_a_broken_one(spec: Object, behind: int) -> None:
    """An emergency does not wait for them."""
    assert look(workload(4, updated=2, total=2, **spec), [pod(0), crashing(1)]).behind == behind
    assert look(workload(4, updated=2, total=2, **spec), [pod(0), young(1)]).behind == 0


def event(reason: str = "FailedCreate", first: float = 40, last: float = 1, uid: str = "set", **more: t.Any) -> Object:
    quota = 'create Pod mcp-green-1 in StatefulSet mcp-green failed error: pods "mcp-green-1" is forbidden: exceeded'
    times = {"firstTimestamp": at(first), "lastTimestamp": at(last)}
    return {"reason": reason, "message": quota, "involvedObject": {"uid": uid}, **times, "metadata": {}, **more}


@pytest.mark.parametrize(
    ("events", "pods", "since", "shown", "fails"),
    [
        ([event()], [pod(0)], None, True, True),
        ([event()], [pod(0)], 60, True, True),
        ([event()], [pod(0)], 20, True, False),
        ([event(first=10)], [pod(0)], 60, True, False),
        # Older than the rollout
        ([event(last=70)], [pod(0)], 60, False, False),
        ([event(last=9), event("SuccessfulCreate", last=3)], [pod(0)], None, False, False),
        ([event(uid="other")], [pod(0)], None, False, False),
        ([event(message="failed calling webhook x: connection refused")], [pod(0)], None, True, False),
        # The quota counts a pod that is to go
        ([event()], [pod(0), pod(1, OLD, deletionTimestamp=at(1))], None, True, False),
        ([event()], ALL_NEW, None, False, False),
    ],
)
def test_pods_that_the_api_server_refuses(
    events: list[Object], pods: list[Object], since: float | None, shown: bool, fails: bool
) -> None:
    began = None if since is None else NOW - datetime.timedelta(seconds=since)
    found = look(workload(updated=1, available=1, total=1), pods, events, since=began)
    assert bool(found.problems) is shown and bool(found.failed) is fails
    if fails:
        assert found.reason == "FailedCreate" and "its pods are refused (create Pod mcp-green-1" in found.failed


@pytest.mark.parametrize(
    ("spec", "lost", "note"),
    [
        ({}, False, ""),
        ({"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}, False, ""),
        (CLAIMS, False, "; its pods have volumes of their own: the other pool does not have what is stored there"),
        (
            {**CLAIMS, "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}},
            True,
            "; its pods have volumes of their own, which are deleted when the pool is scaled down: the other pool does "
            "not have what is stored there",
        ),
        ({**CLAIMS, "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}, False, None),
    ],
)
def test_volumes(spec: Object, lost: bool, note: str | None) -> None:
    case = workload(updated=2, available=2, **spec)
    found = look(case, [pod(0), pod(1), crashing(2, BAD)])
    assert found.blocked and found.blocked.loses_volumes is lost
    assert note is None or stateful_sets.volumes_note(case) == note


def test_the_pods_that_a_size_removes() -> None:
    pods = [*ALL_NEW, pod(3, deletionTimestamp=at(1)), pod(4, by="other"), pod(5, phase="Failed")]
    found = stateful_sets.pods_from(workload(), pods, 1)
    assert [one["metadata"]["name"] for one in found] == ["mcp-green-1", "mcp-green-2"]
