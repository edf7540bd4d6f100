# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._workload import rollout_state
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import problem
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import State, state

NOW = datetime.datetime(2026, 11, 23, 10, 1, 0, tzinfo=datetime.UTC)
IMAGE = "ghcr.io/org/mcp-server:v1.2.0"
PULL = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": {IMAGE}: not found'


def at(seconds_ago: float) -> str:
    return (NOW - datetime.timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def controlled(name: str, by: str = "", **metadata) -> dict:
    owners = [{"uid": by, "controller": True}] if by else []
    return {"name": name, "uid": name, "ownerReferences": owners, **metadata}


def waiting(reason: str, message: str = "", **more) -> dict:
    return {
        "name": "mcp-server",
        "state": {"waiting": {"reason": reason, "message": message}},
        "restartCount": 0,
        **more,
    }


def running(seconds: float, **more) -> dict:
    return {
        "name": "mcp-server",
        "state": {"running": {"startedAt": at(seconds)}},
        "restartCount": 0,
        "started": True,
        **more,
    }


def crashed(code: int, reason: str = "Error") -> dict:
    return {"terminated": {"exitCode": code, "reason": reason}}


def pod(
    *containers: dict,
    name: str = "new-1",
    by: str = "rs-new",
    ready: bool = False,
    conditions=(),
    probe=None,
    age=60.0,
    phase="Running",
    **metadata,
):
    status = {"phase": phase, "containerStatuses": list(containers), "startTime": at(age)}
    unready = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "message": "containers with unready status: [mcp-server]",
    }
    status["conditions"] = [*conditions, unready]
    spec = {"containers": [{"name": "mcp-server", "image": IMAGE, "readinessProbe": probe or {}}]}
    return {"metadata": controlled(name, by, **metadata), "spec": spec, "status": status}


def ready_pod(name: str, **more) -> dict:
    return pod(running(60), name=name, ready=True, **more)


def event(reason: str, message: str, ago: float = 5, kind: str = "Warning", about: str = "new-1") -> dict:
    return {
        "reason": reason,
        "message": message,
        "type": kind,
        "lastTimestamp": at(ago),
        "involvedObject": {"uid": about},
        "metadata": {},
    }


def unschedulable(ago: float) -> dict:
    message = "0/1 nodes are available: 1 Insufficient memory."
    return {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastTransitionTime": at(ago),
    }


UNHEALTHY = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")


@pytest.mark.parametrize(
    ("case", "events", "reason", "said"),
    [
        (pod(waiting("ErrImagePull", PULL)), [], "ErrImagePull", "v1.2.0: not found)"),
        (pod(waiting("ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout")), [], None, None),
        (
            pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}": ErrImagePull: {PULL}')),
            [],
            "ImagePullBackOff",
            "not found)",
        ),
        # A kubelet before 1.32
        (
            pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')),
            [
                event("Failed", f'Failed to pull image "{IMAGE}": {PULL}'),
                event("Failed", "Error: ImagePullBackOff", ago=1),
            ],
            "ImagePullBackOff",
            "not found)",
        ),
        (pod(waiting("InvalidImageName", "couldn't parse image reference")), [], "InvalidImageName", "couldn't parse"),
        (
            pod(waiting("CreateContainerConfigError", 'secret "mcp-server-secrets" not found')),
            [],
            "CreateContainerConfigError",
            'container mcp-server: CreateContainerConfigError (secret "mcp-server-secrets" not found)',
        ),
        (
            pod(waiting("CrashLoopBackOff", "back-off 10s restarting", restartCount=2, lastState=crashed(1))),
            [],
            "CrashLoopBackOff",
            "container mcp-server was restarted 2 times, last after exit code 1",
        ),
        (
            pod(running(1, restartCount=2, lastState=crashed(137, "OOMKilled"))),
            [],
            "CrashLoopBackOff",
            "container mcp-server was restarted 2 times, last after exit code 137 (OOMKilled)",
        ),
        (pod(running(1, restartCount=1, lastState=crashed(1))), [], None, None),
        (pod(conditions=[unschedulable(31)], phase="Pending"), [], "Unschedulable", "Insufficient memory)"),
        # The autoscaler may be adding a node
        (pod(conditions=[unschedulable(5)], phase="Pending"), [], None, None),
        (
            pod(waiting("ContainerCreating")),
            [event("FailedMount", 'secret "tls" not found')],
            "FailedMount",
            'FailedMount (secret "tls" not found)',
        ),
        (pod(waiting("ContainerCreating")), [], None, None),
        (pod(waiting("ContainerCreating"), age=10), [event("FailedMount", 'secret "tls" not found')], None, None),
        # A large image
        (
            pod(waiting("ContainerCreating")),
            [event("FailedMount", "once", 50), event("Pulling", "Pulling image", 50, "Normal")],
            None,
            None,
        ),
        (
            pod(running(35)),
            [UNHEALTHY],
            "Unhealthy",
            "has run for 35 s and is not ready (Readiness probe failed: HTTP probe failed with statuscode: 503)",
        ),
        (
            pod(running(35)),
            [event("Unhealthy", "of another pod", about="new-2")],
            "Unhealthy",
            "containers with unready status",
        ),
        (pod(running(29)), [UNHEALTHY], None, None),
        (pod(running(35), probe={"initialDelaySeconds": 10}), [UNHEALTHY], None, None),
        (pod(running(35, started=False)), [UNHEALTHY], None, None),
        (ready_pod("new-1"), [UNHEALTHY], None, None),
        (pod(waiting("CrashLoopBackOff"), deletionTimestamp=at(1)), [], None, None),
        (pod(phase="Failed"), [], None, None),
    ],
)
def test_problem_of_a_pod(case, events, reason, said):
    found = problem(case, events, NOW, grace=30)
    assert (found and found.reason) == reason
    assert found is None or said in found.message


def test_a_long_message_stays_a_sentence():
    found = problem(pod(waiting("InvalidImageName", "x\ny " * 1000)), [], NOW, 30)
    assert len(found.message) < 500
    assert "\n" not in found.message


def deployment(
    replicas: int = 3, updated: int = 0, available: int = 0, total: int = 0, seen: int = 2, conditions=(), **spec
) -> dict:
    counts = {"replicas": total, "updatedReplicas": updated, "availableReplicas": available}
    return {
        "metadata": {
            "name": "mcp-server-green",
            "uid": "deployment",
            "generation": 2,
            "annotations": {rollout_state.REVISION: "2"},
        },
        "spec": {"replicas": replicas, **spec},
        # The API server leaves out what is 0
        "status": {
            "observedGeneration": seen,
            "conditions": list(conditions),
            **{k: v for k, v in counts.items() if v},
        },
    }


def replicaset(name: str, revision: str, conditions=(), by: str = "deployment") -> dict:
    return {
        "metadata": controlled(name, by, annotations={rollout_state.REVISION: revision}),
        "status": {"conditions": list(conditions)},
    }


def replicasets(*conditions: dict) -> list[dict]:
    return [replicaset("rs-old", "1"), replicaset("rs-new", "2", conditions), replicaset("rs-other", "2", by="another")]


OLD_BROKEN = pod(waiting("CrashLoopBackOff", restartCount=9), name="old-1", by="rs-old")
NEW_UNREADY = [pod(running(40), name="new-1"), pod(running(35), name="new-2")]
READY = [ready_pod(f"new-{n}") for n in range(3)]
EXCEEDED = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": 'ReplicaSet "rs-new" has timed out progressing.',
}
QUOTA = {
    "type": "ReplicaFailure",
    "status": "True",
    "message": 'pods "new-1" is forbidden: exceeded quota: pods, requested: pods=1',
}


@pytest.mark.parametrize(
    ("case", "sets", "pods", "line", "done", "reason"),
    [
        (deployment(updated=3, available=3, total=3), replicasets(), READY, "3 of 3 pods ready", True, ""),
        (deployment(updated=3, available=3, total=3, seen=1), replicasets(), READY, "0 of 3 pods ready", False, ""),
        (deployment(), replicasets()[:1], [OLD_BROKEN], "0 of 3 pods ready", False, ""),
        (
            deployment(updated=3, available=1, total=4),
            replicasets(),
            [*READY[:1], OLD_BROKEN],
            "1 of 3 pods ready",
            False,
            "",
        ),
        (
            deployment(updated=3, available=3, total=4),
            replicasets(),
            [*READY, OLD_BROKEN],
            "1 pods still terminating",
            False,
            "",
        ),
        # Old ones finish what they were asked
        (
            deployment(updated=3, available=3, total=3),
            replicasets(),
            [*READY, ready_pod("old", by="rs-old", deletionTimestamp=at(1))],
            "3 of 3 pods ready",
            True,
            "",
        ),
        # Ready, but not yet for minReadySeconds
        (deployment(updated=3, available=0, total=3), replicasets(), READY, "3 of 3 pods ready", False, ""),
        (
            deployment(0),
            replicasets(),
            [ready_pod("new-1", deletionTimestamp=at(1))],
            "1 pods still terminating",
            False,
            "",
        ),
        (
            deployment(0, total=1),
            replicasets(),
            [pod(waiting("CrashLoopBackOff", restartCount=9))],
            "1 pods still terminating",
            False,
            "",
        ),
        (deployment(0), replicasets(), [pod(phase="Failed")], "0 of 0 pods ready", True, ""),
        (deployment(0), replicasets(), [pod(by="rs-other")], "0 of 0 pods ready", True, ""),
        (deployment(2, updated=2, total=2), replicasets(), NEW_UNREADY, "0 of 2 pods ready", False, "Unhealthy"),
        (
            deployment(3, updated=3, total=3),
            replicasets(),
            [*NEW_UNREADY, pod(running(5), name="new-3")],
            "0 of 3 pods ready",
            False,
            "",
        ),
        (
            deployment(3, updated=3, total=3),
            replicasets(),
            [*NEW_UNREADY, ready_pod("new-3")],
            "1 of 3 pods ready",
            False,
            "",
        ),
        (
            deployment(3, updated=3, total=3),
            replicasets(),
            [*READY[1:], pod(waiting("CrashLoopBackOff", restartCount=2, lastState=crashed(1)))],
            "2 of 3 pods ready",
            False,
            "CrashLoopBackOff",
        ),
        (deployment(conditions=[EXCEEDED]), replicasets(), [], "0 of 3 pods ready", False, "ProgressDeadlineExceeded"),
        (deployment(), replicasets(QUOTA), [], "0 of 3 pods ready", False, "ReplicaFailure"),
        (deployment(paused=True), replicasets(), [], "0 of 3 pods ready", False, "Paused"),
        (deployment(0, paused=True), replicasets(), [], "0 of 0 pods ready", True, ""),
    ],
)
def test_state_of_a_rollout(case, sets, pods, line, done, reason):
    found = state(case, sets, pods, [], NOW)
    assert (str(found), found.done, found.reason) == (line, done, reason)
    assert bool(found.failed) == bool(reason)


def test_the_sentence_names_the_pod_and_the_cure():
    found = state(deployment(), replicasets(), [pod(running(35))], [UNHEALTHY], NOW)
    assert found.failed == (
        "pod new-1: has run for 35 s and is not ready (Readiness probe failed: HTTP probe failed with statuscode: "
        "503); read its log (kubectl logs)"
    )
    assert found.problems == (
        "pod new-1: has run for 35 s and is not ready (Readiness probe failed: HTTP probe failed with statuscode: 503)",
    )


@pytest.mark.parametrize(
    "message",
    [
        # The API server was away, or slow
        'MountVolume.SetUp failed for volume "api": failed to fetch token: Post "https://10.0.0.1/token": '
        "dial tcp 10.0.0.1:443: connect: connection refused",
        'MountVolume.SetUp failed for volume "settings": failed to sync configmap cache: '
        "timed out waiting for the condition",
        'MountVolume.SetUp failed for volume "nfs": rpc error: code = Internal desc = context deadline exceeded',
    ],
)
def test_what_the_kubelet_could_not_reach_is_told_and_may_pass(message):
    found = state(
        deployment(), replicasets(), [pod(waiting("ContainerCreating"))], [event("FailedMount", message)], NOW
    )
    assert not found.failed
    assert "FailedMount (MountVolume.SetUp failed" in found.problems[0]


def test_an_exceeded_deadline_from_before_our_change_is_not_news():
    assert state(deployment(conditions=[EXCEEDED]), replicasets(), [], [], NOW, stale=EXCEEDED) == State(3)
