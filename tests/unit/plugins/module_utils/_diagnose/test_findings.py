# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._diagnose import findings
from ansible_collections.mcp.server.plugins.module_utils._diagnose.findings import Finding, Usage, Wanted

NOW = datetime(2026, 11, 27, 22, 10, tzinfo=UTC)
EARLY, LATE = "2026-11-27T22:00:00Z", "2026-11-27T22:09:00Z"
Object = dict[str, t.Any]


def pod(status: Object, *, ready: bool = False, **container: t.Any) -> Object:
    its = {"name": "mcp", "restartCount": 0, "ready": ready, **container}
    limits = {"limits": {"memory": "64Mi"}}
    return {
        "metadata": {"name": "mcp-blue-1", "namespace": "prod", "uid": "u1", "creationTimestamp": EARLY},
        "spec": {"nodeName": "node-1", "containers": [{"name": "mcp", "resources": limits}]},
        "status": {
            "startTime": EARLY,
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": EARLY}],
            "containerStatuses": [its],
            **status,
        },
    }


def event(reason: str, message: str, *, uid: str = "u1", name: str = "mcp-blue-1", count: int = 1) -> Object:
    about = {"kind": "Pod", "name": name, "uid": uid}
    times = {"firstTimestamp": EARLY, "lastTimestamp": LATE, "count": count}
    return {"involvedObject": about, "reason": reason, "message": message, "type": "Warning", **times}


def waiting(reason: str, message: str = "") -> Object:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


RUNNING = {"state": {"running": {"startedAt": EARLY}}, "started": True}
KILLED = {
    "restartCount": 4,
    "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": LATE}},
}
CASES: list[tuple[str, Object, list[Object], list[tuple[str, str]]]] = [
    ("ready", pod({}, ready=True, **RUNNING), [], []),
    (
        "killed",
        pod({}, **KILLED, **waiting("CrashLoopBackOff")),
        [],
        [("oom_killed", "limit of 64Mi, and restarted 4")],
    ),
    ("killed and ready again", pod({}, ready=True, **KILLED, **RUNNING), [], [("oom_killed", "64Mi")]),
    ("no image", pod({}, **waiting("ImagePullBackOff", "x: not found")), [], [("image", "not found")]),
    ("a registry that is away", pod({}, **waiting("ErrImagePull", "dial tcp: timeout")), [], [("image", "dial tcp")]),
    ("no Secret", pod({}, **waiting("CreateContainerConfigError", "secret x")), [], [("configuration", "secret x")]),
    (
        "crashes",
        pod({}, restartCount=3, lastState={"terminated": {"exitCode": 2}}, **waiting("CrashLoopBackOff")),
        [],
        [("crash_loop", "exit code 2")],
    ),
    (
        "a probe that fails",
        pod({}, **RUNNING),
        [event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", count=7)],
        [("probe", "503")],
    ),
    (
        "a probe that has failed",
        pod({}, ready=True, **RUNNING),
        [event("Unhealthy", "Liveness probe failed: refused", count=7)],
        [("probe_passed", "its liveness probe failed 7 times")],
    ),
    (
        "the probe of another pod",
        pod({}, ready=True, **RUNNING),
        [event("Unhealthy", "Liveness probe failed", uid="u2")],
        [],
    ),
    (
        "a lost node",
        pod({"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}, **RUNNING),
        [],
        [("node_lost", "its node node-1 does not report")],
    ),
    ("evicted", pod({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}), [], [("evicted", "low on")]),
    (
        "no room",
        pod(
            {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/1 nodes: Insufficient cpu",
                        "lastTransitionTime": EARLY,
                    }
                ],
                "containerStatuses": [],
            }
        ),
        [],
        [("unschedulable", "Insufficient cpu")],
    ),
    ("nothing known", {}, [], [("starting", "is not ready yet")]),
    ("nulls", {"metadata": None, "spec": None, "status": {"containerStatuses": None}}, [], [("starting", "")]),
]


@pytest.mark.parametrize(("name", "obj", "events", "found"), CASES, ids=[one[0] for one in CASES])
def test_what_a_pod_says(name: str, obj: Object, events: list[Object], found: list[tuple[str, str]]) -> None:
    got = list(findings.of_pod(obj, "blue", events, NOW, "mcp", {}))
    assert [one.cause for one in got] == [cause for cause, _words in found], got
    assert all(words in one.said for one, (_cause, words) in zip(got, found, strict=True)), got


def node(status: str) -> Object:
    ready = {"type": "Ready", "status": status, "message": "kubelet stopped", "lastHeartbeatTime": EARLY}
    return {"metadata": {"name": "node-1"}, "status": {"conditions": [ready]}}


LEAVING = {"deletionTimestamp": "2026-11-27T22:00:00Z"}  # ten minutes ago


@pytest.mark.parametrize(
    ("nodes", "metadata", "cause", "words"),
    [
        # The pod looks well: nobody on its node says anything of it any more.
        ({"node-1": None}, {}, "node_lost", "its node node-1 does not exist any more"),
        ({"node-1": node("Unknown")}, {}, "node_lost", "has not reported since 2026-11-27 22:00:00 UTC"),
        ({"node-1": node("False")}, {}, "node_lost", "its node node-1 is not ready (kubelet stopped)"),
        ({"node-1": node("True")}, {}, "", ""),
        ({}, {}, "", ""),
        # Without the right to read nodes
        (
            {},
            LEAVING,
            "node_lost",
            "should have ended 10 min 0 s ago, and is still there: its node node-1 does not end",
        ),
        ({"node-1": node("True")}, LEAVING, "not_ended", "though its node node-1 is ready"),
        ({}, {**LEAVING, "finalizers": ["a/b"]}, "not_ended", "finalizers hold it (['a/b'])"),
        ({}, {"deletionTimestamp": LATE.replace("22:09", "22:10")}, "", ""),
        ({}, {"deletionTimestamp": "soon"}, "", ""),
    ],
)
def test_a_pod_that_is_lost_with_its_node(
    nodes: dict[str, Object | None], metadata: Object, cause: str, words: str
) -> None:
    obj = pod({}, ready=True, **RUNNING)
    obj["metadata"] |= metadata
    found = list(findings.of_pod(obj, "blue", [], NOW, "mcp", nodes))
    assert [one.cause for one in found] == ([cause] if cause else [])
    assert not found or words in found[0].said


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ('pods "x" is forbidden: exceeded quota: full, requested: pods=1, used: pods=8, limited: pods=8', "quota"),
        ("failed quota: full: must specify limits.memory", "quota"),
        ('Internal error occurred: failed calling webhook "x": connection refused', "webhook"),
        ('admission webhook "policy" denied the request', "webhook"),
        ("maximum memory usage per Container is 64Mi, but limit is 256Mi", "limit_range"),
        ("cpu max limit to request ratio per Container is 4, but provided ratio is 50.000000", "limit_range"),
        ('violates PodSecurity "restricted:latest"', "pods_refused"),
    ],
)
def test_why_no_pod_is_made(message: str, cause: str) -> None:
    events = [
        event("FailedCreate", message, name="mcp-blue-abc", count=3),
        event("FailedCreate", message, name="other"),
    ]
    (found,) = findings.of_refusals(events, "blue", {"mcp-blue", "mcp-blue-abc"})
    assert (found.cause, found.count, found.first, found.last) == (cause, 3, EARLY, LATE)
    condition = {"type": "ReplicaFailure", "status": "True", "message": message, "lastTransitionTime": EARLY}
    (found,) = findings.of_condition({"status": {"conditions": [condition]}}, "Deployment prod/mcp-blue", "blue")
    assert (found.cause, found.last) == (cause, EARLY)


def test_a_full_quota() -> None:
    full = {"metadata": {"name": "q"}, "status": {"hard": {"pods": "8", "limits.memory": "1Gi"}, "used": {"pods": "8"}}}
    (found,) = findings.of_quotas([full, {"status": {"hard": {"pods": "9"}, "used": {"pods": "8"}}}, {}])
    assert (found.cause, found.where, found.said) == ("quota_full", "ResourceQuota q", "is used up (pods: 8 of 8)")


@pytest.mark.parametrize(
    ("memory", "limit", "causes"),
    [("60Mi", "64Mi", ["memory_use"]), ("10Mi", "64Mi", []), ("60Mi", "", []), ("?", "64Mi", []), ("60Mi", "0", [])],
)
def test_use_near_the_limit(memory: str, limit: str, causes: list[str]) -> None:
    found = findings.of_usage([Usage("p", "mcp", memory, limit, "1m", "")], {"p": "blue"})
    assert [one.cause for one in found] == causes


def test_use_is_read_of_the_pods_of_the_server_only() -> None:
    metrics = [
        {"metadata": {"name": name}, "containers": [{"name": "mcp", "usage": {"memory": "60Mi", "cpu": "1m"}}]}
        for name in ("mcp-blue-1", "stranger")
    ]
    assert findings.usages(metrics, {"mcp-blue-1": pod({})}) == [Usage("mcp-blue-1", "mcp", "60Mi", "64Mi", "1m", "")]


def test_pods_that_wait_for_cpu() -> None:
    found = list(findings.of_throttling({"a": 0.5, "b": 0.1, "stranger": 0.9}, {"a": "blue", "b": "green"}))
    assert [(one.where, one.pool) for one in found] == [("pod a", "blue")]


def test_a_pool_with_traffic_and_without_endpoints() -> None:
    names = {"blue": "mcp-blue", "green": "mcp-green"}
    found = list(findings.of_endpoints({"blue": 0, "green": 0}, {"blue": 100, "green": 0}, names))
    assert [(one.cause, one.where, one.pool) for one in found] == [("no_endpoints", "Service mcp-blue", "blue")]


def test_the_secrets_that_pods_refer_to() -> None:
    container = {
        "env": [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "maybe", "key": "x", "optional": True}}},
            {"name": "C", "value": "plain"},
        ],
        "envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "no"}}],
    }
    volume = {"secret": {"secretName": "tls", "items": [{"key": "tls.crt"}]}}
    spec = {"containers": [container], "volumes": [volume, {"emptyDir": {}}], "imagePullSecrets": [{"name": "pull"}]}
    found = findings.secrets_of({"spec": {"template": {"spec": spec}}})
    assert found == [
        Wanted("all", (), False),
        Wanted("db", ("url",), False),
        Wanted("maybe", ("x",), True),
        Wanted("pull", (), True),
        Wanted("tls", ("tls.crt",), False),
    ]


@pytest.mark.parametrize(
    ("wanted", "keys", "said"),
    [
        (Wanted("db", ("url",), False), ["url", "more"], []),
        (Wanted("db", ("url", "user"), False), ["url"], ["has no key user"]),
        (Wanted("db", ("url",), False), None, ["does not exist"]),
        (Wanted("db", ("url",), True), None, []),
    ],
)
def test_what_a_secret_lacks(wanted: Wanted, keys: list[str] | None, said: list[str]) -> None:
    assert [one.said for one in findings.of_secret(wanted, keys, "prod")] == said


HOSTILE = "\x1b[2J\r\nok: [prod] {{ 7*7 }} \u202e password=hunter2-planted " + "A" * 5000


def test_texts_of_others_are_one_short_line_without_secrets() -> None:
    obj = pod({}, **waiting("ImagePullBackOff", HOSTILE))
    obj["metadata"]["name"] = HOSTILE
    events = [event("Unhealthy", f"Readiness probe {HOSTILE}"), event("FailedCreate", HOSTILE, name="rs")]
    found: list[Finding] = [
        *findings.of_pod(obj, "blue", events, NOW, "mcp", {}),
        *findings.of_refusals(events, "", {"rs"}),
    ]
    assert len(found) >= 2
    for one in found:
        assert all(len(text) < 500 and text.isprintable() for text in (one.where, one.said))
        assert "hunter2" not in one.said
