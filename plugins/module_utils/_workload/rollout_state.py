# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide how far a rollout is, and whether it can still succeed. Pure: objects in, a state out.

What is different about a StatefulSet is in stateful_sets.py.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._workload import stateful_sets
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import (
    UNHEALTHY,
    UNREACHED,
    Object,
    Problem,
    condition,
    has_lasted,
    is_finished,
    is_leaving,
    is_ready,
    may_start,
    name_of,
    owner,
    problem,
    uid_of,
)

REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True)
class State:
    """The state of a rollout."""

    # How many pods of the newest revision there have to be.
    wanted: int
    # How many of these are ready.
    ready: int = 0
    # How many pods of any revision still have to terminate.
    leaving: int = 0
    done: bool = False
    # The cluster's word for why the rollout cannot succeed; empty while it can.
    reason: str = ""
    # Why it cannot succeed and what to do, a clause; empty while it can.
    failed: str = ""
    # Whether that is an image which its registry does not have.
    image_gone: bool = False
    # How many pods of the newest revision are on their way, see pods.may_start().
    starting: int = 0
    # A clause for each pod that does not become ready, and for pods that are refused.
    problems: tuple[str, ...] = ()
    # How many pods an OrderedReady StatefulSet makes only once those with a problem are ready.
    behind: int = 0
    # The pod of a former revision that it waits for; None without one.
    blocked: stateful_sets.Blocked | None = None

    def __str__(self) -> str:
        if self.leaving and self.ready >= self.wanted:
            return f"{self.leaving} pods still terminating"
        return f"{self.ready} of {self.wanted} pods ready"


def state(
    workload: Object,
    replicasets: t.Sequence[Object],
    pods: t.Sequence[Object],
    events: t.Sequence[Object],
    now: datetime.datetime,
    container: str,
    grace: float = 30.0,
    stale: Object | None = None,
    since: datetime.datetime | None = None,
    earlier: t.Mapping[str, int] | None = None,
) -> State:
    """Return the state of a rollout.

    pods, replicasets: at least those of the workload; a StatefulSet has no ReplicaSets. events: of its pods and of a
    StatefulSet itself, none without the permission to read them. container, grace, since: see pods.problem().
    earlier: see pods.earlier_restarts(). stale: the Progressing condition from before the change, which the controller
    may not have replaced yet.
    """
    wanted, status = wanted_pods(workload), mapping(workload, "status")
    of_it, newest = _parts(workload, replicasets)
    if not newest or is_behind(workload):
        return State(wanted)

    is_set = stateful_sets.is_set(workload)
    present = [pod for pod in pods if owner(pod) in of_it and not is_finished(pod)]
    current = new_pods(workload, replicasets, present)
    new = [pod for pod in current if not is_leaving(pod)]
    ready = sum(is_ready(pod) for pod in new)
    counts = {status.get(name) or 0 for name in ("replicas", "updatedReplicas", "availableReplicas")}
    # At size 0 the containers have ended only when the pods are gone. Otherwise old pods may still finish requests.
    done = counts == {wanted} and (wanted > 0 or not present)
    if done:
        return State(wanted, ready, done=True)
    if not wanted:
        # Problems of pods that are to be removed do not matter.
        return State(wanted, ready, leaving=len(present))
    restarts = earlier or {}

    def problem_of(pod: Object) -> Problem | None:
        found = problem(pod, events, now, grace, container, since, restarts.get(uid_of(pod), 0))
        return replace(found, message=f"pod {name_of(pod)}: {found.message}") if found else None

    found = [(pod, problem_of(pod)) for pod in new]
    problems = [one for _pod, one in found if one]
    room_comes = len(present) > len(new)
    if not is_set:
        refused = _refused(of_it[newest], now, grace, room_comes=room_comes)
    elif len(new) < wanted:
        refused = stateful_sets.refused(workload, events, now, grace, since, room_comes=room_comes)
    else:
        refused = None
    if refused:
        problems.append(refused)
    terminal = _terminal(workload, problems, len(new), stale)
    blocked = stateful_sets.blocked(workload, present, wanted) if is_set else None
    if blocked:
        waits = stateful_sets.waits_for(
            blocked, next(problem_of(one) for one in present if name_of(one) == blocked.pod)
        )
        problems.append(waits)
        terminal = terminal or (None if waits.may_pass else waits)
    if is_set and not terminal and any(one not in new and not is_leaving(one) for one in present):
        terminal = stateful_sets.keeps_pods(workload)
    ordered = is_set and stateful_sets.is_ordered(workload)
    return State(
        wanted,
        ready,
        leaving=len(present) - len(new),
        reason=terminal.reason if terminal else "",
        failed=str(terminal) if terminal else "",
        image_gone=terminal is not None and terminal.image_gone,
        starting=sum(one is None and not is_ready(pod) and may_start(pod, now, grace, container) for pod, one in found),
        problems=tuple(one.message for one in problems),
        behind=max(0, wanted - len(new)) if ordered and problems else 0,
        blocked=blocked,
    )


def _parts(workload: Object, replicasets: t.Sequence[Object]) -> tuple[dict[str, Object], str]:
    """Return what owns the workload's pods, by uid, and the uid of what owns those of its newest revision.

    That is empty while there is none. A StatefulSet owns its pods itself.
    """
    if stateful_sets.is_set(workload):
        uid = uid_of(workload)
        return {uid: workload}, uid if stateful_sets.newest_revision(workload) else ""
    newest = newest_of(workload, replicasets)
    return {uid_of(rs): rs for rs in _replicasets_of(workload, replicasets)}, uid_of(newest) if newest else ""


def new_pods(workload: Object, replicasets: t.Sequence[Object], pods: t.Iterable[Object]) -> list[Object]:
    """Return those of the pods that are of the workload's newest revision."""
    _parts_of_it, newest = _parts(workload, replicasets)
    of_newest = [pod for pod in pods if newest and owner(pod) == newest]
    if not stateful_sets.is_set(workload):
        return of_newest
    revision = stateful_sets.newest_revision(workload)
    return [pod for pod in of_newest if stateful_sets.is_of(pod, revision)]


def newest_of(deployment: Object, replicasets: t.Sequence[Object]) -> Object | None:
    """Return the ReplicaSet of the Deployment's newest revision; None while there is none."""
    found = _replicasets_of(deployment, replicasets)
    return next((rs for rs in found if revision(rs) == revision(deployment)), None)


def _replicasets_of(deployment: Object, replicasets: t.Sequence[Object]) -> list[Object]:
    uid = uid_of(deployment)
    return [rs for rs in replicasets if uid and owner(rs) == uid]


def wanted_pods(workload: Object) -> int:
    """Return how many pods the workload has to have."""
    replicas = mapping(workload, "spec").get("replicas")
    return 1 if replicas is None else int(replicas)


def is_behind(obj: Object) -> bool:
    """Return whether the controller has not seen the object as it is."""
    seen, generation = mapping(obj, "status").get("observedGeneration"), mapping(obj, "metadata").get("generation")
    return (seen or 0) < (generation or 0)


def revision(obj: Object) -> str:
    return str(mapping(obj, "metadata", "annotations").get(REVISION) or "")


def _refused(newest: Object, now: datetime.datetime, grace: float, *, room_comes: bool) -> Problem | None:
    """Return why the API server refuses new pods. The controller tries again.

    room_comes: whether pods are still to go, which a quota counts.
    """
    refused = condition(newest, "ReplicaFailure")
    if refused.get("status") != "True" or is_behind(newest):
        return None
    message = refused.get("message") or ""
    may_pass = room_comes or not has_lasted(refused, now, grace) or bool(UNREACHED.search(message))
    advice = "raise the quota or correct the template"
    return Problem("ReplicaFailure", f"its pods are refused ({message})", advice, may_pass)


def _terminal(workload: Object, problems: t.Sequence[Problem], pods: int, stale: Object | None) -> Problem | None:
    """Return why the rollout cannot succeed. pods: how many new pods there are."""
    if mapping(workload, "spec").get("paused"):
        return Problem("Paused", "it is paused", "resume it (kubectl rollout resume)")
    # A single pod may run without becoming ready; when all of them do, the version is at fault.
    all_unready = sum(found.reason == UNHEALTHY for found in problems) == pods
    for found in problems:
        if not found.may_pass and (found.reason != UNHEALTHY or all_unready):
            return found
    progressing = condition(workload, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded" and progressing != stale:
        return Problem(
            "ProgressDeadlineExceeded", f"it made no progress ({progressing.get('message')})", "see its events"
        )
    return None
