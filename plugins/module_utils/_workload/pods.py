# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a pod is ready, and why not, read from what the cluster says of it. Pure: objects in, reasons out."""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _times

Object = dict[str, t.Any]

IMAGE = "check the image's name and tag, and that the nodes may pull it"
CONFIGURATION = "create what the pod template refers to, or correct the template"
# What the kubelet gives as the reason of a waiting container, where waiting longer doesn't help; and what to do
TERMINAL = {
    "ImagePullBackOff": IMAGE,
    "InvalidImageName": IMAGE,
    "ErrImageNeverPull": IMAGE,
    "CreateContainerConfigError": CONFIGURATION,
    "CreateContainerError": CONFIGURATION,
    "RunContainerError": CONFIGURATION,
}
UNHEALTHY = "Unhealthy"
# The kubelet could not reach something, often the API server itself; it tries again, with pauses of up to two minutes
UNREACHED = re.compile(
    r"dial tcp|connection refused|i/o timeout|TLS handshake timeout|context deadline exceeded|timed out waiting|failed to sync \w+ cache"
)


@dataclass(frozen=True)
class Problem:
    """Why a pod is not becoming ready. reason: the cluster's word for it; said: what happened; advice: what to do.

    may_pass: it is tried again, and may well go right; so it is told, and the rollout goes on.
    """

    reason: str
    said: str
    advice: str
    may_pass: bool = False


def is_ready(pod: Object) -> bool:
    return not is_leaving(pod) and condition(pod, "Ready").get("status") == "True"


def is_leaving(pod: Object) -> bool:
    """Whether it has been deleted and is on its way out."""
    return "deletionTimestamp" in pod["metadata"]


def is_finished(pod: Object) -> bool:
    """Whether it will never run again, as an evicted one: such pods stay listed and count for nothing."""
    return pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def owner(obj: Object) -> str:
    """The uid of the object's controller, or nothing."""
    return next((ref["uid"] for ref in obj["metadata"].get("ownerReferences", []) if ref.get("controller")), "")


def problem(pod: Object, events: t.Sequence[Object], now: datetime.datetime, grace: float) -> Problem | None:
    """Why this pod is not becoming ready, or None while there is nothing to say.

    What can pass by itself (no node yet, a volume not mounted yet, a readiness
    probe that fails at first) is a problem after C(grace) seconds of it.
    """
    if is_ready(pod) or is_leaving(pod) or is_finished(pod):
        return None
    events = [event for event in events if event["involvedObject"].get("uid") == pod["metadata"]["uid"]]
    return (
        _unscheduled(pod, now, grace)
        or _waiting(pod, events)
        or _not_created(pod, events, now, grace)
        or _unready(pod, events, now, grace)
    )


def _unscheduled(pod: Object, now: datetime.datetime, grace: float) -> Problem | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("reason") != "Unschedulable" or _age(scheduled.get("lastTransitionTime"), now) < grace:
        return None
    return Problem(
        "Unschedulable",
        f"no node takes it ({_line(scheduled.get('message'))})",
        "free or add capacity, or lower the requests",
    )


def _waiting(pod: Object, events: t.Sequence[Object]) -> Problem | None:
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting", {})
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        # Other pull errors pass now and then (a registry that restarts): they are final as ImagePullBackOff
        if reason in TERMINAL or (reason == "ErrImagePull" and "not found" in message):
            advice = TERMINAL.get(reason, IMAGE)
            if advice is IMAGE:
                # Before 1.32 the back-off's own message doesn't tell why
                message = _newest(events, "Failed", "pull image") or message
            return Problem(reason, f"container {container['name']}: {reason} ({_line(message)})", advice)
        if reason == "CrashLoopBackOff" or container.get("restartCount", 0) >= 2:
            return Problem("CrashLoopBackOff", _crashes(container), "read its log (kubectl logs --previous)")
    return None


def _crashes(container: Object) -> str:
    last = container.get("lastState", {}).get("terminated", {})
    why = f" ({last['reason']})" if last.get("reason", "Error") != "Error" else ""
    times = container.get("restartCount", 0)
    return (
        f"container {container['name']} was restarted {times} times, last after exit code {last.get('exitCode')}{why}"
    )


def _not_created(pod: Object, events: t.Sequence[Object], now: datetime.datetime, grace: float) -> Problem | None:
    """Containers that the kubelet can't create yet; only events tell (no such Secret to mount, no sandbox)."""
    status = pod.get("status", {})
    waiting = any(
        c.get("state", {}).get("waiting", {}).get("reason") in ("ContainerCreating", "PodInitializing")
        for c in _containers(pod)
    )
    if not waiting or _age(status.get("startTime"), now) < grace:
        return None
    # Of two in the same second, the warning is the one that has passed: an image may be on its way for long
    newest = max(events, key=lambda event: (_time(event), event["type"] == "Normal"), default=None)
    if newest is None or newest["type"] == "Normal":
        return None
    said = f"{newest['reason']} ({_line(newest['message'])})"
    return Problem(newest["reason"], said, CONFIGURATION, may_pass=bool(UNREACHED.search(newest["message"])))


def _unready(pod: Object, events: t.Sequence[Object], now: datetime.datetime, grace: float) -> Problem | None:
    delays = {
        container["name"]: container.get("readinessProbe", {}).get("initialDelaySeconds", 0)
        for container in pod["spec"]["containers"]
    }
    ages = []
    for container in pod.get("status", {}).get("containerStatuses", []):
        running = container.get("state", {}).get("running")
        # A startup probe gives a slow server its time; started is false until it has passed
        if running is None or container.get("started") is False:
            return None
        ages.append(_age(running["startedAt"], now) - delays.get(container["name"], 0))
    if not ages or min(ages) < grace:
        return None
    said = _newest(events, UNHEALTHY) or condition(pod, "Ready").get("message")
    return Problem(
        UNHEALTHY, f"runs for {min(ages):.0f} s and is not ready ({_line(said)})", "read its log (kubectl logs)"
    )


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def condition(obj: Object, kind: str) -> Object:
    """The condition of that type in the object's status, or an empty one."""
    return next((c for c in obj.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def _newest(events: t.Sequence[Object], reason: str, containing: str = "") -> str:
    """The message of the newest event of that reason, or nothing."""
    found = [event for event in events if event["reason"] == reason and containing in event["message"]]
    return max(found, key=_time)["message"] if found else ""


def _time(event: Object) -> str:
    # RFC 3339 in UTC sorts as text; events.k8s.io and the old recorder fill different fields
    return (
        (event.get("series") or {}).get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"]["creationTimestamp"]
    )


def _age(timestamp: str | None, now: datetime.datetime) -> float:
    """Seconds since an RFC 3339 time; 0 when there is none yet."""
    at = _times.parse(timestamp)
    return (now - at).total_seconds() if at else 0.0


def _line(message: str | None) -> str:
    text = " ".join((message or "no reason given").split()).rstrip(".")
    return text if len(text) <= 400 else f"{text[:397]}..."
