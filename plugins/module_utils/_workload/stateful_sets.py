# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is different about a StatefulSet's rollout. Pure.

It has no ReplicaSets, no conditions and no deadline. Its pods say by a label which revision they are of. One that is
OrderedReady does nothing while a pod is not ready: not even replace that pod, once its template has been put back.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import STATEFUL_SET
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import (
    UNREACHED,
    Problem,
    event_time,
    grace_of,
    is_finished,
    is_leaving,
    is_ready,
    name_of,
    owner,
    uid_of,
)

REVISION = "controller-revision-hash"  # a pod's label: the name of its ControllerRevision
KEEPS = "UpdateStrategy"  # why pods keep their image, as a reason
BLOCKED = "OrderedReady"  # why pods wait for another one, as a reason
REFUSED = "FailedCreate"  # the reason of an event: no pod, or no claim of one, was made


def is_set(workload: Object) -> bool:
    """Return whether a workload that was read is a StatefulSet."""
    return workload.get("kind") == STATEFUL_SET


def is_ordered(workload: Object) -> bool:
    """Return whether it makes and replaces one pod after the other, each once the one before is ready."""
    return mapping(workload, "spec").get("podManagementPolicy") != "Parallel"


def newest_revision(workload: Object) -> str:
    """Return the name of the revision of its template; empty while there is none."""
    return str(mapping(workload, "status").get("updateRevision") or "")


def is_of(pod: Object, revision: str) -> bool:
    return bool(revision) and mapping(pod, "metadata", "labels").get(REVISION) == revision


def keeps_pods(workload: Object) -> Problem | None:
    """Return why a new image does not reach all pods; None when it does."""
    strategy = mapping(workload, "spec", "updateStrategy")
    if strategy.get("type") == "OnDelete":
        why, advice = "OnDelete, which replaces no pod", "set updateStrategy.type to RollingUpdate"
        return Problem(KEEPS, f"its updateStrategy is {why}", advice)
    partition = mapping(strategy, "rollingUpdate").get("partition") or 0
    if partition > 0:
        why = f"partition {partition}, which keeps the pods below that number as they are"
        return Problem(KEEPS, f"its updateStrategy has {why}", "set updateStrategy.rollingUpdate.partition to 0")
    return None


def volumes_note(workload: Object) -> str:
    """Return what a release should know of the pods' own volumes, a clause after a semicolon; empty without any."""
    if not mapping(workload, "spec").get("volumeClaimTemplates"):
        return ""
    lost = ", which are deleted when the pool is scaled down" if loses_volumes(workload) else ""
    return f"; its pods have volumes of their own{lost}: the other pool does not have what is stored there"


def loses_volumes(workload: Object) -> bool:
    """Return whether a pod's volumes are deleted with it when the set is scaled down."""
    spec = mapping(workload, "spec")
    policy = mapping(spec, "persistentVolumeClaimRetentionPolicy").get("whenScaled")
    return bool(spec.get("volumeClaimTemplates")) and policy == "Delete"


def place(workload: Object, pod: Object) -> int:
    """Return the pod's place among the pods, from 0: a set that is scaled to it has no such pod. -1 if it has none."""
    number = name_of(pod).removeprefix(f"{name_of(workload)}-")
    start = mapping(workload, "spec", "ordinals").get("start") or 0
    return int(number) - int(start) if number.isdecimal() else -1


class Blocked(t.NamedTuple):
    """A pod of a former revision that an OrderedReady set waits for, so that it replaces none."""

    # The pod's name.
    pod: str
    # The size at which the set has no such pod, nor those after it.
    size: int
    # How many of the pods from that one on are ready.
    ready: int
    # Whether scaling the set down would delete volumes.
    loses_volumes: bool
    # Whether it is the only pod that is not ready. Of several, the controller removes none, whatever the size.
    alone: bool


def blocked(workload: Object, present: t.Iterable[Object], wanted: int) -> Blocked | None:
    """Return the first pod that an OrderedReady set of this size waits for in vain; None without one.

    present: the set's pods, none of which has finished. The controller replaces those that have, and removes those that
    are too many.
    """
    if not is_ordered(workload):
        return None
    revision = newest_revision(workload)
    pods = [(place(workload, pod), pod) for pod in present if not is_leaving(pod)]
    former = [(at, pod) for at, pod in pods if 0 <= at < wanted and revision and not is_of(pod, revision)]
    stuck = [(at, name_of(pod)) for at, pod in former if not is_ready(pod)]
    if not stuck:
        return None
    size, name = min(stuck)
    ready = sum(at >= size and is_ready(pod) for at, pod in pods)
    alone = sum(at >= 0 and not is_ready(pod) for at, pod in pods) == 1
    return Blocked(name, size, ready, loses_volumes(workload), alone)


def waits_for(found: Blocked, cause: Problem | None) -> Problem:
    """Return what the set waits for as a problem. cause: why that pod is not ready, None while it may become so."""
    message = cause.message if cause else f"pod {found.pod}: is not ready"
    return Problem(
        BLOCKED,
        f"{message}; it is of a former revision, and an OrderedReady StatefulSet replaces no pod until it is ready",
        f"have that pod replaced (kubectl delete pod {found.pod})",
        may_pass=cause is None or cause.may_pass,
    )


def pods_from(workload: Object, pods: t.Iterable[Object], size: int) -> list[Object]:
    """Return the set's pods that it must not have at this size and that are not terminating yet."""
    uid = uid_of(workload)
    own = [pod for pod in pods if uid and owner(pod) == uid and not is_leaving(pod) and not is_finished(pod)]
    return [pod for pod in own if place(workload, pod) >= size]


def refused(
    workload: Object,
    events: t.Iterable[Object],
    now: datetime.datetime,
    grace: float,
    since: datetime.datetime | None,
    *,
    room_comes: bool,
) -> Problem | None:
    """Return why the API server refuses a pod, which only events of the set say.

    grace, since: see pods.problem(). room_comes: whether pods are still to go, which a quota counts.
    """
    uid = uid_of(workload)
    about = [event for event in events if uid and mapping(event, "involvedObject").get("uid") == uid]
    newest = max(about, key=event_time, default={})
    if newest.get("reason") != REFUSED or (since and event_time(newest) < since):
        return None
    message = str(newest.get("message") or "")
    first = _times.parse(newest.get("firstTimestamp")) or event_time(newest)
    lasts = (now - first).total_seconds() >= grace_of(grace, since, now)
    may_pass = room_comes or not lasts or bool(UNREACHED.search(message))
    return Problem(REFUSED, f"its pods are refused ({message})", "raise the quota or correct the template", may_pass)
