# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a pod is ready, and if not, why. Pure: objects in, reasons out.

Only the server's own container counts against a rollout. Init containers and sidecars have the rollout's time.
"""

from __future__ import annotations

import datetime
import math
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping

Object = dict[str, t.Any]

IMAGE = "check the image's name and tag, and that the nodes may pull it"
CONFIGURATION = "create what the pod template refers to, or correct the template"
# Of an image: what the kubelet reports of its pull, and, until it tries again, that it waits.
PULL_FAILED, PULL_BACKS_OFF = "ErrImagePull", "ImagePullBackOff"
# Reasons of a waiting container (by the kubelet) that do not pass by themselves, and what to do about them.
TERMINAL = {
    PULL_BACKS_OFF: IMAGE,
    "InvalidImageName": IMAGE,
    "ErrImageNeverPull": IMAGE,
    "CreateContainerConfigError": CONFIGURATION,
    "CreateContainerError": CONFIGURATION,
    "RunContainerError": CONFIGURATION,
}
CRASHING = "CrashLoopBackOff"
UNHEALTHY = "Unhealthy"
UNSCHEDULABLE, GATED = "Unschedulable", "SchedulingGated"
BARE_BACK_OFF = re.compile(r'(Back-off pulling image "[^"]*")?')
# Reasons of a container that waits for its pod's volumes, network or init containers.
CREATING = ("ContainerCreating", "PodInitializing")
# Events of autoscalers that add a node for the pod, and the one of an autoscaler that does not.
SCALE_UP = ("TriggeredScaleUp", "Nominated")
NO_SCALE_UP = "NotTriggerScaleUp"
FORGOTTEN = 600.0  # seconds that a container runs, after which the kubelet also begins anew with its back-off
# The kubelet could not reach something, often the API server or a registry, or the node is busy. It tries again, with
# pauses of up to five minutes.
UNREACHED = re.compile(
    r"dial tcp(?!.*no such host)|connection (refused|reset)|i/o timeout|TLS handshake timeout|timed out"
    r"|context deadline exceeded|unexpected EOF|failed to sync \w+ cache|failed calling webhook|toomanyrequests"
    r"|\b(429|50[0234]) [A-Z]|QPS exceeded|failed to reserve \w+ name"
)


# A registry answered that it does not have the image, in the words of containerd, CRI-O and Docker.
GONE = re.compile(r"not found|manifest unknown", re.IGNORECASE)
# Something else was not found: in the node's store, for its platform, or by the server that gives out tokens.
ELSEWHERE = re.compile(
    r"(parent|extraction) snapshot|content digest|no match for platform|executable file|failed to authorize"
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
    # Whether the registry does not have the image.
    image_gone: bool = False

    def __str__(self) -> str:
        """Return what happened and what to do, a clause."""
        return f"{self.message}; {self.advice}"


def is_ready(pod: Object) -> bool:
    return not is_leaving(pod) and condition(pod, "Ready").get("status") == "True"


def is_leaving(pod: Object) -> bool:
    """Return whether it was deleted and is terminating."""
    return mapping(pod, "metadata").get("deletionTimestamp") is not None


def is_finished(pod: Object) -> bool:
    """Return whether it will never run again, such as an evicted pod. Such pods stay listed and do not count."""
    return mapping(pod, "status").get("phase") in ("Failed", "Succeeded")


def owner(obj: Object) -> str:
    """Return the uid of the object's controller; empty without one."""
    controllers = [ref for ref in items(obj, "metadata", "ownerReferences") if ref.get("controller")]
    return str(controllers[0].get("uid") or "") if controllers else ""


def name_of(obj: Object) -> str:
    return str(mapping(obj, "metadata").get("name") or "")


def uid_of(obj: Object) -> str:
    return str(mapping(obj, "metadata").get("uid") or "")


def earlier_restarts(pods: t.Iterable[Object], container: str, since: datetime.datetime) -> dict[str, int]:
    """Return how often the container of each pod that is older than this was restarted, by the pod's uid."""
    return {
        uid_of(pod): int(_own(pod, container).get("restartCount") or 0)
        for pod in pods
        if (created := _times.parse(mapping(pod, "metadata").get("creationTimestamp"))) and created < since
    }


def problem(
    pod: Object,
    events: t.Sequence[Object],
    now: datetime.datetime,
    grace: float,
    container: str,
    since: datetime.datetime | None = None,
    earlier: int = 0,
) -> Problem | None:
    """Return why this pod does not become ready; None while it may.

    events: of pods. grace: seconds after which something that can pass by itself is a problem (no node yet, a volume
    that is not mounted yet, a readiness probe that fails at first). container: the server's. since: when the rollout
    began, None for before the pod. earlier: how often the container was restarted before that.
    """
    if is_ready(pod) or is_leaving(pod) or is_finished(pod):
        return None
    grace = grace_of(grace, since, now)
    every, events, own = events, _about(pod, events, container), _own(pod, container)
    return (
        _unscheduled(pod, events, every, now, grace)
        or _waiting(pod, own, events, now, grace)
        or _crashing(own, now, earlier)
        or _not_created(pod, own, events, now, grace)
        or _unready(pod, own, events, now, grace, container)
        or _unready_beside(pod, own, now, grace, container)
    )


def needs_events(
    pod: Object, now: datetime.datetime, grace: float, container: str, since: datetime.datetime | None = None
) -> bool:
    """Return whether problem() needs the events of this pod: its status alone does not explain why it is not ready."""
    if is_ready(pod) or is_leaving(pod) or is_finished(pod):
        return False
    grace, own = grace_of(grace, since, now), _own(pod, container)
    if reason := _unscheduled_reason(pod, now, grace):
        return reason == UNSCHEDULABLE
    return (
        not _is_explained(mapping(own, "state", "waiting"))
        or _is_not_created(pod, own, now, grace)
        or (_runs_unready(own) and _running_age(pod, own, now) >= grace)
    )


def may_start(pod: Object, now: datetime.datetime, grace: float, container: str) -> bool:
    """Return whether a pod without a problem is on its way: its container runs, or had no time to."""
    return mapping(_own(pod, container), "state").get("running") is not None or _pod_age(pod, now) < grace


def grace_of(grace: float, since: datetime.datetime | None, now: datetime.datetime) -> float:
    """Return the grace of a rollout that began then: nothing has lasted for longer than the rollout."""
    return math.inf if since and (now - since).total_seconds() < grace else grace


def _about(pod: Object, events: t.Iterable[Object], container: str) -> list[Object]:
    """Return the events of this pod that are not about other containers in it."""
    uid, places = uid_of(pod), (None, "", f"spec.containers{{{container}}}")
    objects = [(event, mapping(event, "involvedObject")) for event in events]
    return [event for event, about in objects if uid and about.get("uid") == uid and about.get("fieldPath") in places]


def _own(pod: Object, container: str) -> Object:
    """Return the status of the container; an empty one when the pod has none yet."""
    return next((one for one in items(pod, "status", "containerStatuses") if one.get("name") == container), {})


def _unscheduled_reason(pod: Object, now: datetime.datetime, grace: float) -> str:
    """Return the cluster's word for why no node runs the pod; empty when one does, or for less than the grace."""
    scheduled = condition(pod, "PodScheduled")
    reason = str(scheduled.get("reason") or "")
    lasts = _age(scheduled.get("lastTransitionTime"), now) >= grace
    return reason if lasts and reason in (UNSCHEDULABLE, GATED) else ""


def _unscheduled(
    pod: Object, events: t.Sequence[Object], every: t.Sequence[Object], now: datetime.datetime, grace: float
) -> Problem | None:
    """Return why no node runs the pod. every: those of other pods too, which stand in where its own were not read."""
    scheduled, reason = condition(pod, "PodScheduled"), _unscheduled_reason(pod, now, grace)
    if not reason:
        return None
    if reason == GATED:
        gates = ", ".join(str(gate.get("name")) for gate in items(pod, "spec", "schedulingGates"))
        return Problem(GATED, f"it waits for scheduling gates ({gates})", "see who removes them", may_pass=True)
    answers = _scale_ups(events or every)
    return Problem(
        UNSCHEDULABLE,
        f"no node accepts it ({_line(scheduled.get('message'))})",
        "free or add capacity, or lower the requests",
        may_pass=bool(answers) and max(answers, key=event_time).get("reason") in SCALE_UP,
    )


def _scale_ups(events: t.Iterable[Object]) -> list[Object]:
    """Return what autoscalers answered to pods without a node."""
    return [event for event in events if event.get("reason") in (*SCALE_UP, NO_SCALE_UP)]


def _is_explained(waiting: Object) -> bool:
    """Return whether the state of a waiting container says why: before Kubernetes 1.32 that of a back-off does not."""
    return waiting.get("reason") != PULL_BACKS_OFF or not BARE_BACK_OFF.fullmatch(str(waiting.get("message") or ""))


def _waiting(
    pod: Object, own: Object, events: t.Sequence[Object], now: datetime.datetime, grace: float
) -> Problem | None:
    waiting = mapping(own, "state", "waiting")
    reason, message = waiting.get("reason") or "", waiting.get("message") or ""
    # Other pull errors may pass (a registry that restarts).
    if reason not in TERMINAL and not (reason == PULL_FAILED and GONE.search(message)):
        return None
    # What it refers to may be created at the same time.
    if reason == "CreateContainerConfigError" and _pod_age(pod, now) < grace:
        return None
    advice = TERMINAL.get(reason, IMAGE)
    if not _is_explained(waiting):
        message = _newest(events, "Failed", "pull image") or message
    may_pass = bool(UNREACHED.search(message))
    gone = reason in (PULL_FAILED, PULL_BACKS_OFF) and not may_pass and is_gone(message)
    return Problem(reason, f"container {own.get('name')}: {reason} ({_line(message)})", advice, may_pass, gone)


def is_gone(message: str) -> bool:
    """Return whether a failed pull says that the registry does not have the image."""
    return bool(GONE.search(message)) and not ELSEWHERE.search(message)


def _crashing(own: Object, now: datetime.datetime, earlier: int) -> Problem | None:
    restarts = (own.get("restartCount") or 0) - earlier
    backs_off = mapping(own, "state", "waiting").get("reason") == CRASHING
    if not backs_off and (restarts < 2 or _age(mapping(own, "state", "running").get("startedAt"), now) >= FORGOTTEN):
        return None
    # A back-off from before the rollout ends within five minutes, and then it may run.
    may_pass = earlier > 0 and restarts <= 0
    return Problem(CRASHING, f"container {_crashes(own)}", "read its log (kubectl logs --previous)", may_pass)


def _crashes(status: Object) -> str:
    last = mapping(status, "lastState", "terminated")
    why = f" ({last['reason']})" if (last.get("reason") or "Error") != "Error" else ""
    times = status.get("restartCount") or 0
    code = "unknown" if last.get("exitCode") is None else last["exitCode"]
    return f"{status.get('name')} was restarted {times} times, last after exit code {code}{why}"


def _not_created(
    pod: Object, own: Object, events: t.Sequence[Object], now: datetime.datetime, grace: float
) -> Problem | None:
    """Return why the kubelet cannot create containers (a missing Secret, no sandbox), which only events show."""
    if not _is_not_created(pod, own, now, grace):
        return None
    # Of two events in the same second, the warning is the older one: pulling an image may take long.
    newest = max(events, key=lambda event: (event_time(event), event.get("type") != "Warning"), default={})
    if newest.get("type") != "Warning":
        return None
    reason, text = newest.get("reason") or "Warning", newest.get("message") or ""
    # Only volumes are up to the pod template. Others are the node's or the network's, or mere notes (DNSConfigForming).
    may_pass = reason != "FailedMount" or bool(UNREACHED.search(text))
    return Problem(reason, f"{reason} ({_line(text)})", CONFIGURATION, may_pass)


def _is_not_created(pod: Object, own: Object, now: datetime.datetime, grace: float) -> bool:
    """Return whether the kubelet has created no container for longer than the grace."""
    waits = mapping(own, "state", "waiting").get("reason") in CREATING
    begun = any(_has_begun(status) for status in items(pod, "status", "initContainerStatuses"))
    return waits and not begun and _pod_age(pod, now) >= grace


def _has_begun(status: Object) -> bool:
    state = mapping(status, "state")
    return bool(status.get("restartCount") or state.get("running") is not None or state.get("terminated") is not None)


def _unready(
    pod: Object, own: Object, events: t.Sequence[Object], now: datetime.datetime, grace: float, container: str
) -> Problem | None:
    if not _runs_unready(own):
        return None
    age = _running_age(pod, own, now)
    spec = next((one for one in items(pod, "spec", "containers") if one.get("name") == container), {})
    failures = [event for event in events if event.get("reason") == UNHEALTHY and "eadiness" in _message(event)]
    if age - _probe_delay(spec, failures, age, now) < grace:
        return None
    message = _newest(events, UNHEALTHY) or condition(pod, "Ready").get("message")
    return Problem(
        UNHEALTHY, f"has run for {age:.0f} s and is not ready ({_line(message)})", "read its log (kubectl logs)"
    )


def _runs_unready(own: Object) -> bool:
    # Until its startup probe has passed, which gives a slow server time, started is false.
    running = mapping(own, "state").get("running")
    return running is not None and own.get("started") is not False and own.get("ready") is not True


def _running_age(pod: Object, own: Object, now: datetime.datetime) -> float:
    # No container is older than its pod, whose time is by the API server's clock and not by the node's.
    created = mapping(pod, "metadata").get("creationTimestamp")
    age = _age(mapping(own, "state", "running").get("startedAt"), now)
    return min(age, _age(created, now)) if created else age


def _probe_delay(spec: Object, failures: t.Iterable[Object], age: float, now: datetime.datetime) -> float:
    """Return the seconds after the start of a container in which its probes can't have found it ready.

    A startup probe that has passed may have taken all of its time, unless the readiness probe failed before.
    """
    readiness, startup = mapping(spec, "readinessProbe"), mapping(spec, "startupProbe")
    delay = float(readiness.get("initialDelaySeconds") or 0)
    if startup:
        tries = (startup.get("failureThreshold") or 3) * (startup.get("periodSeconds") or 10)
        failed_for = [_age(event.get("firstTimestamp") or event.get("eventTime"), now) for event in failures]
        begin = age - max(failed_for) if failed_for else (startup.get("initialDelaySeconds") or 0) + tries
        delay = max(delay, begin)
    return delay + (readiness.get("periodSeconds") or 0) * (readiness.get("successThreshold") or 1)


def _unready_beside(pod: Object, own: Object, now: datetime.datetime, grace: float, container: str) -> Problem | None:
    """Return what keeps the pod from being ready beside the server's container. It has the rollout's time."""
    for kind, status in _others(pod, container):
        waiting, running = mapping(status, "state", "waiting"), mapping(status, "state").get("running")
        reason = waiting.get("reason") or ""
        advice = f"see container {status.get('name')}"
        if status.get("restartCount"):
            return Problem(CRASHING, f"{kind} {_crashes(status)}", advice, may_pass=True)
        if reason and reason not in CREATING:
            message = f"{kind} {status.get('name')}: {reason} ({_line(waiting.get('message'))})"
            return Problem(reason, message, advice, may_pass=True)
        if running is not None and _age(running.get("startedAt"), now) >= grace:
            message = f"{kind} {status.get('name')} has run for {_age(running.get('startedAt'), now):.0f} s"
            return Problem("NotReady", f"{message} and is not ready", advice, may_pass=True)
    ready = condition(pod, "Ready")
    if own.get("ready") is not True or not has_lasted(ready, now, grace):
        return None
    reason = ready.get("reason") or "NotReady"
    return Problem(
        reason, f"its container is ready and it is not ({_line(ready.get('message'))})", "see its conditions", True
    )


def _others(pod: Object, container: str) -> list[tuple[str, Object]]:
    """Return the other containers that are neither ready nor done, with what they are called."""
    found = [("init container", one) for one in items(pod, "status", "initContainerStatuses")]
    found += [("container", one) for one in items(pod, "status", "containerStatuses") if one.get("name") != container]
    return [
        (kind, one)
        for kind, one in found
        if one.get("ready") is not True and mapping(one, "state", "terminated").get("exitCode") != 0
    ]


def condition(obj: Object, kind: str) -> Object:
    """Return the condition of this type in the object's status; an empty one when it has none."""
    return next((c for c in items(obj, "status", "conditions") if c.get("type") == kind), {})


def has_lasted(found: Object, now: datetime.datetime, grace: float) -> bool:
    """Return whether a condition has been as it is for so many seconds; True for one without a time."""
    return _times.parse(found.get("lastTransitionTime")) is None or _age(found["lastTransitionTime"], now) >= grace


def _newest(events: t.Sequence[Object], reason: str, containing: str = "") -> str:
    """Return the message of the newest event with this reason; empty without one."""
    found = [event for event in events if event.get("reason") == reason and containing in _message(event)]
    return _message(max(found, key=event_time)) if found else ""


def _message(event: Object) -> str:
    return event.get("message") or ""


def event_time(event: Object) -> datetime.datetime:
    # The API events.k8s.io and the older one fill different fields.
    return (
        _times.parse(mapping(event, "series").get("lastObservedTime"))
        or _times.parse(event.get("lastTimestamp"))
        or _times.parse(event.get("eventTime"))
        or _times.parse(mapping(event, "metadata").get("creationTimestamp"))
        or datetime.datetime.min.replace(tzinfo=datetime.UTC)
    )


def _pod_age(pod: Object, now: datetime.datetime) -> float:
    return _age(mapping(pod, "status").get("startTime") or mapping(pod, "metadata").get("creationTimestamp"), now)


def _age(timestamp: str | None, now: datetime.datetime) -> float:
    """Return the seconds since an RFC 3339 time; 0 without one."""
    at = _times.parse(timestamp)
    return (now - at).total_seconds() if at else 0.0


def _line(message: str | None) -> str:
    text = " ".join((message or "no reason given").split()).rstrip(".")
    # The kubelet nests messages: what failed comes first, and why last.
    return text if len(text) <= 400 else f"{text[:150]} ... {text[-245:]}"
