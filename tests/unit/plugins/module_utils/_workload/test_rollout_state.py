# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._workload import rollout_state
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import earlier_restarts, needs_events, problem
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


def assert_events_are_needed_if_they_matter(case: dict, events: list[dict]) -> None:
    with_events, without = (problem(case, found, NOW, 30, "mcp-server") for found in (events, []))
    assert with_events == without or needs_events(case, NOW, 30, "mcp-server")


@pytest.mark.parametrize(
    ("case", "needed"),
    [
        (pod(waiting("ErrImagePull", PULL)), False),
        (pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}": ErrImagePull: {PULL}')), False),
        (pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')), True),  # before Kubernetes 1.32
        (pod(waiting("ImagePullBackOff")), True),
        (pod(waiting("InvalidImageName")), False),
        (pod(waiting("CrashLoopBackOff")), False),
        (pod(waiting("ContainerCreating"), age=29), False),
        (pod(waiting("ContainerCreating"), age=31), True),
        (pod(running(29)), False),
        (pod(running(31)), True),
        (pod(running(31, started=False)), False),
        (pod(conditions=[unschedulable(29)], phase="Pending"), False),
        (pod(conditions=[unschedulable(31)], phase="Pending"), True),
        (pod(phase="Pending"), False),
        (pod(phase="Failed"), False),
        (ready_pod("new-1"), False),
        (pod(running(31), deletionTimestamp=at(1)), False),
    ],
)
def test_which_pods_only_events_explain(case, needed):
    assert needs_events(case, NOW, 30, "mcp-server") is needed
    # No status has lasted for longer than the rollout; but a back-off without a reason is never explained
    begun = NOW - datetime.timedelta(seconds=5)
    assert needs_events(case, NOW, 30, "mcp-server", begun) is (needed and "ImagePullBackOff" in str(case))


def test_a_node_that_comes_is_one_for_pods_whose_events_were_not_read():
    """Events of a few pods are read, and an autoscaler answers each of them."""
    cases = [pod(conditions=[unschedulable(60)], phase="Pending", name=f"new-{number}") for number in (1, 2)]
    answer = event("TriggeredScaleUp", "pod triggered scale-up", 50, "Normal")
    found = state(deployment(2, updated=2, total=2), replicasets(), cases, [answer], NOW, "mcp-server")
    assert not found.failed and len(found.problems) == 2
    refused = event("NotTriggerScaleUp", "max node group size reached", 5, "Normal", about="new-2")
    found = state(deployment(2, updated=2, total=2), replicasets(), cases, [answer, refused], NOW, "mcp-server")
    assert found.reason == "Unschedulable"


def test_a_node_that_came_for_another_pod_is_none_for_one_whose_events_were_read():
    cases = [pod(conditions=[unschedulable(60)], phase="Pending"), pod(running(5), name="new-2")]
    events = [
        event("FailedScheduling", "0/3 nodes are available", 5),
        event("Nominated", "Pod should schedule on: node/x", 900, "Normal", about="new-2"),
    ]
    found = state(deployment(2, updated=2, total=2), replicasets(), cases, events, NOW, "mcp-server")
    assert found.reason == "Unschedulable"


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
    found = problem(case, events, NOW, 30, "mcp-server")
    assert (found and found.reason) == reason
    assert_events_are_needed_if_they_matter(case, events)
    assert found is None or said in found.message


@pytest.mark.parametrize(
    ("reason", "message", "gone"),
    [
        ("ErrImagePull", PULL, True),
        ("ErrImagePull", "reading manifest sha256:a in r.io/x: manifest unknown", True),
        ("ErrImagePull", "manifest for r.io/x@sha256:a not found: manifest unknown: Manifest Unknown", True),
        ("ImagePullBackOff", f'Back-off pulling image "{IMAGE}": ErrImagePull: {PULL}', True),
        ("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"', False),
        ("ImagePullBackOff", "ErrImagePull: pull access denied", False),
        # The registry did not say that
        ("ImagePullBackOff", "ErrImagePull: dial tcp 10.0.0.1:443: i/o timeout, cache key not found", False),
        # Nor that: the node's store is damaged, the node is another platform, the server of tokens is another one
        (
            "ErrImagePull",
            "failed to prepare extraction snapshot: parent snapshot sha256:a does not exist: not found",
            False,
        ),
        ("ErrImagePull", "failed to copy: content digest sha256:a: not found", False),
        ("ErrImagePull", "no match for platform in manifest sha256:a: not found", False),
        ("ErrImagePull", "failed to authorize: failed to fetch anonymous token: 404 Not Found", False),
        ("ErrImagePull", 'failed to extract layer: exec: "unpigz": executable file not found in $PATH', False),
        ("CreateContainerConfigError", 'secret "x" not found', False),
        ("InvalidImageName", "not found", False),
        ("ErrImageNeverPull", "not found", False),
    ],
)
def test_which_images_are_gone(reason, message, gone):
    case = pod(waiting(reason, message), ready=False)
    assert problem(case, [], NOW, 30, "mcp-server").image_gone is gone
    found = state(deployment(replicas=1, total=1), replicasets(), [case], [], NOW, "mcp-server")
    assert found.image_gone is gone and bool(found.failed) is ("dial tcp" not in message)


@pytest.mark.parametrize(
    ("other", "age", "starting"),
    [
        (running(5), 60, 1),
        (waiting("ContainerCreating"), 5, 1),
        (waiting("ContainerCreating"), 60, 0),
        (waiting("ErrImagePull", PULL), 5, 0),
        (running(60), 60, 0),  # and is not ready
    ],
)
def test_pods_on_their_way_beside_one_without_its_image(other, age, starting):
    cases = [pod(waiting("ErrImagePull", PULL)), pod(other, name="new-2", age=age)]
    found = state(deployment(2, updated=2, total=2), replicasets(), cases, [], NOW, "mcp-server")
    assert found.image_gone and found.starting == starting


def test_a_long_message_keeps_what_failed_and_why():
    """With a digest, the kubelet names the image so often that the reason is past the limit (seen on 1.35)."""
    ref = f"ghcr.io/org/mcp-server@sha256:{'a' * 64}"
    message = (
        f'Back-off pulling image "{ref}": ErrImagePull: failed to pull and unpack image "{ref}": failed to resolve '
        f'reference "{ref}": failed to do request: Head "https://ghcr.io/v2/org/mcp-server/manifests/'
        f'sha256:{"a" * 64}": dial tcp: lookup ghcr.io on 10.255.255.53:53: no such host'
    )
    found = problem(pod(waiting("ImagePullBackOff", message)), [], NOW, 30, "mcp-server")
    assert 'Back-off pulling image "ghcr.io/org/mcp-server@' in found.message
    assert found.message.endswith("lookup ghcr.io on 10.255.255.53:53: no such host)")
    assert len(found.message) < 500


def test_a_long_message_stays_a_sentence():
    found = problem(pod(waiting("InvalidImageName", "x\ny " * 1000)), [], NOW, 30, "mcp-server")
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
    found = state(case, sets, pods, [], NOW, "mcp-server")
    assert (str(found), found.done, found.reason) == (line, done, reason)
    assert bool(found.failed) == bool(reason)


def test_the_sentence_names_the_pod_and_the_cure():
    found = state(deployment(), replicasets(), [pod(running(35))], [UNHEALTHY], NOW, "mcp-server")
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
        deployment(),
        replicasets(),
        [pod(waiting("ContainerCreating"))],
        [event("FailedMount", message)],
        NOW,
        "mcp-server",
    )
    assert not found.failed
    assert "FailedMount (MountVolume.SetUp failed" in found.problems[0]


def test_an_exceeded_deadline_from_before_our_change_is_not_news():
    assert state(deployment(conditions=[EXCEEDED]), replicasets(), [], [], NOW, "mcp-server", stale=EXCEEDED) == State(
        3
    )


def of(name: str, status: dict) -> dict:
    """Return the status of another container."""
    return {"ready": False, **status, "name": name}


def ended(code: int, **more) -> dict:
    return {"name": "init", "state": {"terminated": {"exitCode": code}}, "restartCount": 0, **more}


def with_init(*init: dict, own: dict | None = None, spec=None, **more) -> dict:
    """Return a pod with init containers. own: the status of the server's container."""
    found = pod(own or waiting("PodInitializing"), **more)
    found["status"]["initContainerStatuses"] = list(init)
    found["spec"] |= spec or {}
    return found


def about(container: str, reason: str, message: str, field: str = "containers", **more) -> dict:
    found = event(reason, message, **more)
    found["involvedObject"]["fieldPath"] = f"spec.{field}{{{container}}}"
    return found


WAITS_FOR_DB = of(
    "wait-for-db", {"restartCount": 3, "state": {"running": {"startedAt": at(1)}}, "lastState": crashed(1)}
)
BACKS_OFF = of("wait-for-db", waiting("CrashLoopBackOff", "back-off 40s", restartCount=3, lastState=crashed(1)))
BACK_OFF_EVENT = event("BackOff", "Back-off restarting failed container wait-for-db in pod new-1")
OWN_READY = running(60, ready=True)


@pytest.mark.parametrize(
    ("case", "events", "said"),
    [
        # Init containers
        (with_init(WAITS_FOR_DB), [], "init container wait-for-db was restarted 3 times, last after exit code 1"),
        (with_init(BACKS_OFF), [], "init container wait-for-db was restarted 3 times"),
        (with_init(BACKS_OFF), [BACK_OFF_EVENT], "init container wait-for-db was restarted 3 times"),
        (
            with_init(BACKS_OFF),
            [about("wait-for-db", "BackOff", "Back-off restarting failed container", "initContainers")],
            "init container wait-for-db was restarted",
        ),
        (
            with_init(of("migrate", running(45, started=False))),
            [],
            "init container migrate has run for 45 s and is not ready",
        ),
        (with_init(of("migrate", running(5, started=False))), [], None),
        (
            with_init(of("setup", waiting("ImagePullBackOff", "Back-off pulling image: not found"))),
            [],
            "init container setup: ImagePullBackOff (Back-off pulling image: not found)",
        ),
        # Native sidecars
        (
            with_init(of("proxy", running(40, started=False))),
            [event("Unhealthy", "Startup probe failed: connection refused")],
            "init container proxy has run for 40 s and is not ready",
        ),
        (
            with_init(of("proxy", running(1, restartCount=5, lastState=crashed(137, "OOMKilled"))), own=OWN_READY),
            [],
            "init container proxy was restarted 5 times, last after exit code 137 (OOMKilled)",
        ),
        (with_init(ended(0, restartCount=4), own=running(5)), [], None),
        # Other sidecars
        (
            pod(OWN_READY, of("istio-proxy", running(1, restartCount=4, lastState=crashed(137, "OOMKilled")))),
            [],
            "container istio-proxy was restarted 4 times, last after exit code 137 (OOMKilled)",
        ),
        (
            pod(OWN_READY, of("istio-proxy", running(60))),
            [about("istio-proxy", "Unhealthy", "Readiness probe failed: HTTP 503")],
            "container istio-proxy has run for 60 s and is not ready",
        ),
        (
            pod(OWN_READY, of("logs", waiting("ImagePullBackOff", "Back-off pulling image: not found"))),
            [],
            "container logs: ImagePullBackOff",
        ),
        # Nothing of it is wrong, as far as its containers know
        (
            pod(OWN_READY, conditions=[{"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"}]),
            [],
            "its container is ready and it is not (no reason given)",
        ),
        (
            pod(
                conditions=[{"type": "PodScheduled", "reason": "SchedulingGated", "lastTransitionTime": at(60)}],
                phase="Pending",
            ),
            [],
            "it waits for scheduling gates ()",
        ),
        # What the kubelet tries again
        (
            pod(waiting("ImagePullBackOff", "Back-off pulling image: 503 Service Unavailable")),
            [],
            "ImagePullBackOff (Back-off pulling image: 503 Service Unavailable)",
        ),
        (
            pod(waiting("ImagePullBackOff")),
            [about("mcp-server", "Failed", "Failed to pull image: toomanyrequests: rate exceeded")],
            "toomanyrequests",
        ),
        (
            pod(waiting("ImagePullBackOff", "dial tcp 10.0.0.1:443: connect: connection refused")),
            [],
            "connection refused",
        ),
        (
            pod(waiting("CreateContainerError", 'failed to reserve container name "x_1": name "x_1" is reserved')),
            [],
            "failed to reserve container name",
        ),
        (pod(waiting("CreateContainerConfigError", 'secret "new" not found'), age=10), [], None),
        (
            pod(waiting("ContainerCreating")),
            [event("FailedCreatePodSandBox", "failed to assign an IP address to container")],
            "FailedCreatePodSandBox (failed to assign an IP address to container)",
        ),
        (
            pod(waiting("ContainerCreating")),
            [event("Pulling", "Pulling image", 50, "Normal"), event("DNSConfigForming", "Nameserver limits exceeded")],
            "DNSConfigForming",
        ),
        (
            pod(conditions=[unschedulable(60)], phase="Pending"),
            [event("TriggeredScaleUp", "pod triggered scale-up", 50, "Normal")],
            "no node accepts it",
        ),
        (
            pod(conditions=[unschedulable(60)], phase="Pending"),
            [event("Nominated", "Pod should schedule on: nodeclaim/default-x", 50, "Normal")],
            "no node accepts it",
        ),
    ],
)
def test_what_may_pass_is_shown_and_the_rollout_goes_on(case, events, said):
    found = state(deployment(1, updated=1, total=1), replicasets(), [case], events, NOW, "mcp-server")
    assert (found.failed, found.reason, len(found.problems)) == ("", "", 1 if said else 0)
    assert not said or f"pod new-1: {said}" in found.problems[0] or said in found.problems[0]
    assert_events_are_needed_if_they_matter(case, events)


def slow_start(**more) -> dict:
    """Return a pod whose startup probe may take 100 s and has passed."""
    found = pod(running(60), **more)
    startup = {"periodSeconds": 10, "failureThreshold": 10}
    found["spec"]["containers"][0] |= {"startupProbe": startup, "readinessProbe": {"periodSeconds": 5}}
    return found


def probed_since(seconds: float) -> dict:
    return {**UNHEALTHY, "firstTimestamp": at(seconds)}


@pytest.mark.parametrize(
    ("case", "events", "reason"),
    [
        # It became ready for its readiness probe only now
        (slow_start(), [], None),
        (slow_start(), [probed_since(20)], None),
        (slow_start(), [probed_since(40)], "Unhealthy"),
        # One probe each minute
        (pod(running(60), probe={"periodSeconds": 60}), [], None),
        (pod(running(91), probe={"periodSeconds": 60}), [], "Unhealthy"),
        (pod(running(70), probe={"periodSeconds": 10, "successThreshold": 5}), [], None),
        # The node's clock is behind the API server's
        (pod(running(600), creationTimestamp=at(5)), [], None),
        (pod(running(600), creationTimestamp=at(31)), [], "Unhealthy"),
        # Names that were never right
        (pod(waiting("ImagePullBackOff", "dial tcp: lookup registry.exmple: no such host")), [], "ImagePullBackOff"),
        (pod(waiting("ImagePullBackOff", "Back-off pulling image: pull access denied")), [], "ImagePullBackOff"),
        (
            pod(waiting("CreateContainerConfigError", 'secret "new" not found'), age=31),
            [],
            "CreateContainerConfigError",
        ),
        (
            pod(conditions=[unschedulable(60)], phase="Pending"),
            [
                event("TriggeredScaleUp", "pod triggered scale-up", 50, "Normal"),
                event("NotTriggerScaleUp", "pod didn't trigger scale-up: max node group size reached", 5, "Normal"),
            ],
            "Unschedulable",
        ),
        # Beside a sidecar that is fine, beside one that ended, beside a debugger
        (with_init(of("proxy", running(60, ready=True)), own=running(35)), [UNHEALTHY], "Unhealthy"),
        (with_init(ended(0), own=running(1, restartCount=2, lastState=crashed(1))), [], "CrashLoopBackOff"),
        (
            pod(running(35)),
            [UNHEALTHY, about("debugger", "Failed", "Failed to pull image", "ephemeralContainers")],
            "Unhealthy",
        ),
    ],
)
def test_what_the_servers_own_container_does_counts(case, events, reason):
    found = state(deployment(1, updated=1, total=1), replicasets(), [case], events, NOW, "mcp-server")
    assert found.reason == (reason or "")
    assert_events_are_needed_if_they_matter(case, events)


BEFORE = datetime.timedelta(seconds=60)


@pytest.mark.parametrize(
    ("status", "before", "failed"),
    [
        # Three restarts last week, and none since
        (running(40, restartCount=3, lastState=crashed(137)), 3, True),  # it does not get ready, either
        (running(20, restartCount=3, lastState=crashed(137)), 3, False),
        (running(2, restartCount=4, lastState=crashed(1)), 3, False),
        (running(2, restartCount=5, lastState=crashed(1)), 3, True),
        (waiting("CrashLoopBackOff", "back-off 5m0s", restartCount=9, lastState=crashed(1)), 9, False),
        (waiting("CrashLoopBackOff", "back-off 5m0s", restartCount=10, lastState=crashed(1)), 9, True),
        (waiting("CrashLoopBackOff", "back-off 10s", restartCount=1, lastState=crashed(1)), 0, True),
    ],
)
def test_only_restarts_since_the_rollout_began_count(status, before, failed):
    pods = [pod(status, name="new-1", creationTimestamp=at(10_000))]
    args = (deployment(1, updated=1, total=1), replicasets(), pods, [], NOW, "mcp-server", 30.0, None, NOW - BEFORE)
    found = state(*args, earlier={"new-1": before})
    assert bool(found.failed) is failed
    # Those that count in a pod of this rollout
    assert state(*args, earlier={}).failed or not status["state"].get("waiting")


def test_the_restarts_before_a_rollout_are_those_of_older_pods():
    pods = [
        pod(running(5, restartCount=4), name="old", creationTimestamp=at(100)),
        pod(running(5, restartCount=1), of("proxy", running(5, restartCount=9)), name="new", creationTimestamp=at(10)),
        pod(name="undated"),
    ]
    assert earlier_restarts(pods, "mcp-server", NOW - BEFORE) == {"old": 4}


@pytest.mark.parametrize(("since", "failed"), [(10, False), (31, True), (None, True)])
def test_nothing_has_lasted_longer_than_the_rollout(since, failed):
    """A pool that was never ready is scaled up: it has the grace from now on."""
    began = None if since is None else NOW - datetime.timedelta(seconds=since)
    pods = [pod(running(4000), creationTimestamp=at(4000))]
    found = state(
        deployment(1, updated=1, total=1), replicasets(), pods, [UNHEALTHY], NOW, "mcp-server", 30.0, None, began
    )
    assert bool(found.failed) is failed


def test_restarts_that_the_kubelet_has_forgotten_do_not_count():
    unready = {"type": "Ready", "status": "False"}
    case = pod(running(700, restartCount=3, lastState=crashed(1), ready=True), conditions=[unready])
    found = problem(case, [], NOW, 30, "mcp-server")
    assert found.may_pass


@pytest.mark.parametrize(
    ("condition", "pods", "failed"),
    [
        ({**QUOTA, "lastTransitionTime": at(5)}, [], False),
        ({**QUOTA, "lastTransitionTime": at(31)}, [], True),
        # The quota counts pods that are to go
        ({**QUOTA, "lastTransitionTime": at(31)}, [ready_pod("old", by="rs-old")], False),
        (
            {
                **QUOTA,
                "message": 'Internal error occurred: failed calling webhook "x": connection refused',
                "lastTransitionTime": at(31),
            },
            [],
            False,
        ),
    ],
)
def test_refused_pods_are_tried_again(condition, pods, failed):
    found = state(deployment(), replicasets(condition), pods, [], NOW, "mcp-server")
    assert bool(found.failed) is failed
    assert "its pods are refused" in found.problems[0]


def test_a_refusal_of_before_is_not_news():
    sets = replicasets(QUOTA)
    sets[1]["metadata"]["generation"], sets[1]["status"]["observedGeneration"] = 3, 2
    assert state(deployment(), sets, [], [], NOW, "mcp-server") == State(3)


@pytest.mark.parametrize(
    "case",
    [
        pod(phase="Failed", name="evicted"),
        {"metadata": controlled("evicted", "rs-new"), "status": {"phase": "Failed", "reason": "Evicted"}},
        {"metadata": controlled("gone", "rs-new", deletionTimestamp=at(1)), "status": {"reason": "NodeLost"}},
        {"metadata": controlled("created", "rs-new")},
        {"metadata": controlled("job-x", "a-job"), "status": {"phase": "Pending"}},
        {"metadata": {"name": "bare", "uid": "bare"}, "status": {"phase": "Running", "reason": "SomethingNew"}},
        {"metadata": controlled("x", "rs-new"), "status": {"reason": "SomethingNew", "containerStatuses": None}},
        # It reports nothing any more; another pod replaces it when it is deleted
        pod(
            running(900, ready=True), conditions=[{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]
        ),
        # Resized in place
        pod(running(5, resources={"limits": {"memory": "1Gi"}}), conditions=[{"type": "PodResizeInProgress"}]),
    ],
)
def test_pods_that_do_not_count_against_it(case):
    found = state(deployment(1, updated=1, total=1), replicasets(), [case], [], NOW, "mcp-server")
    assert found.failed == ""


@pytest.mark.parametrize(
    "events",
    [
        [{}],
        [{"involvedObject": None, "metadata": None}],
        [{"involvedObject": {"uid": "new-1"}}],
        [{"involvedObject": {"uid": "new-1"}, "type": "Warning", "lastTimestamp": None, "eventTime": None}],
        [{"involvedObject": {"uid": "new-1"}, "type": "Warning", "reason": "FailedMount", "message": None}],
    ],
)
@pytest.mark.parametrize("status", [waiting("ContainerCreating"), waiting("ImagePullBackOff"), running(60)])
def test_events_without_type_reason_message_or_time(events, status):
    problem(pod(status), events, NOW, 30, "mcp-server")


def test_the_newest_event_is_by_time_and_not_by_text():
    """With and without a fraction, and in other zones."""
    events = [
        {
            **event("FailedMount", 'secret "tls" not found'),
            "lastTimestamp": None,
            "eventTime": "2026-11-23T10:00:55.2Z",
        },
        {**event("Pulling", "Pulling", kind="Normal"), "lastTimestamp": "2026-11-23T10:00:55Z"},
    ]
    found = problem(pod(waiting("ContainerCreating")), events, NOW, 30, "mcp-server")
    assert found.reason == "FailedMount"
