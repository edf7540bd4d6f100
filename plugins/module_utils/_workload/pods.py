# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a pod is ready, and if not, why. Pure: objects in, reasons out."""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _times

Object = dict[str, t.Any]

IMAGE = "check the image's name and tag, and that the nodes may pull it"
CONFIGURATION = "create what the pod template refers to, or correct the template"
# Reasons of a waiting container (by the kubelet) that do not pass by themselves, and what to do about them.
TERMINAL = {
    "ImagePullBackOff": IMAGE,
    "InvalidImageName": IMAGE,
    "ErrImageNeverPull": IMAGE,
    "CreateContainerConfigError": CONFIGURATION,
    "CreateContainerError": CONFIGURATION,
    "RunContainerError": CONFIGURATION,
}
UNHEALTHY = "Unhealthy"
# The kubelet could not reach something, often the API server; it tries again, with pauses of up to two minutes.
UNREACHED = re.compile(
    r"dial tcp|connection refused|i/o timeout|TLS handshake timeout|context deadline exceeded|timed out waiting"
    r"|failed to sync \w+ cache"
)


@dataclass(frozen=True)
class Problem:
    """Why a pod does not become ready."""

    # The cluster's word for it.
    reason: str
    # What happened, a clause.
    message: str
    # What to do, a clause.
    advice: str
    # Whether the kubelet tries again and may succeed: then it is shown, and the rollout goes on.
    may_pass: bool = False


def is_ready(pod: Object) -> bool:
    return not is_leaving(pod) and condition(pod, "Ready").get("status") == "True"


def is_leaving(pod: Object) -> bool:
    """Return whether it was deleted and is terminating."""
    return "deletionTimestamp" in pod["metadata"]


def is_finished(pod: Object) -> bool:
    """Return whether it will never run again, such as an evicted pod. Such pods stay listed and do not count."""
    return pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def owner(obj: Object) -> str:
    """Return the uid of the object's controller; empty without one."""
    return next((ref["uid"] for ref in obj["metadata"].get("ownerReferences", []) if ref.get("controller")), "")


def problem(pod: Object, events: t.Sequence[Object], now: datetime.datetime, grace: float) -> Problem | None:
    """Return why this pod does not become ready; None while it may.

    events: of pods. grace: seconds after which something that can pass by itself is a problem (no node yet, a volume
    that is not mounted yet, a readiness probe that fails at first).
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
        f"no node accepts it ({_line(scheduled.get('message'))})",
        "free or add capacity, or lower the requests",
    )


def _waiting(pod: Object, events: t.Sequence[Object]) -> Problem | None:
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting", {})
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        # Other pull errors may pass (a registry that restarts); as ImagePullBackOff they are final.
        if reason in TERMINAL or (reason == "ErrImagePull" and "not found" in message):
            advice = TERMINAL.get(reason, IMAGE)
            if advice is IMAGE:
                # Before Kubernetes 1.32 the message of the back-off does not say why.
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
    """Return why the kubelet cannot create containers (a missing Secret, no sandbox), which only events show."""
    status = pod.get("status", {})
    waiting = any(
        c.get("state", {}).get("waiting", {}).get("reason") in ("ContainerCreating", "PodInitializing")
        for c in _containers(pod)
    )
    if not waiting or _age(status.get("startTime"), now) < grace:
        return None
    # Of two events in the same second, the warning is the older one: pulling an image may take long.
    newest = max(events, key=lambda event: (_time(event), event["type"] == "Normal"), default=None)
    if newest is None or newest["type"] == "Normal":
        return None
    message = f"{newest['reason']} ({_line(newest['message'])})"
    return Problem(newest["reason"], message, CONFIGURATION, may_pass=bool(UNREACHED.search(newest["message"])))


def _unready(pod: Object, events: t.Sequence[Object], now: datetime.datetime, grace: float) -> Problem | None:
    delays = {
        container["name"]: container.get("readinessProbe", {}).get("initialDelaySeconds", 0)
        for container in pod["spec"]["containers"]
    }
    ages = []
    for container in pod.get("status", {}).get("containerStatuses", []):
        running = container.get("state", {}).get("running")
        # Until its startup probe has passed, which gives a slow server time, started is false.
        if running is None or container.get("started") is False:
            return None
        ages.append(_age(running["startedAt"], now) - delays.get(container["name"], 0))
    if not ages or min(ages) < grace:
        return None
    message = _newest(events, UNHEALTHY) or condition(pod, "Ready").get("message")
    return Problem(
        UNHEALTHY, f"has run for {min(ages):.0f} s and is not ready ({_line(message)})", "read its log (kubectl logs)"
    )


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def condition(obj: Object, kind: str) -> Object:
    """Return the condition of this type in the object's status; an empty one when it has none."""
    return next((c for c in obj.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def _newest(events: t.Sequence[Object], reason: str, containing: str = "") -> str:
    """Return the message of the newest event with this reason; empty without one."""
    found = [event for event in events if event["reason"] == reason and containing in event["message"]]
    return max(found, key=_time)["message"] if found else ""


def _time(event: Object) -> str:
    # RFC 3339 in UTC sorts as text. The API events.k8s.io and the older one fill different fields.
    time: str = (
        (event.get("series") or {}).get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"]["creationTimestamp"]
    )
    return time


def _age(timestamp: str | None, now: datetime.datetime) -> float:
    """Return the seconds since an RFC 3339 time; 0 without one."""
    at = _times.parse(timestamp)
    return (now - at).total_seconds() if at else 0.0


def _line(message: str | None) -> str:
    text = " ".join((message or "no reason given").split()).rstrip(".")
    return text if len(text) <= 400 else f"{text[:397]}..."
