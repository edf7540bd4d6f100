# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide how far the rollout of a Deployment is, and whether it can still succeed. Pure: objects in, a state out."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._workload.pods import (
    UNHEALTHY,
    Object,
    Problem,
    condition,
    is_finished,
    is_leaving,
    is_ready,
    owner,
    problem,
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
    # A clause for each pod that does not become ready.
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.leaving and self.ready >= self.wanted:
            return f"{self.leaving} pods still terminating"
        return f"{self.ready} of {self.wanted} pods ready"


def state(
    deployment: Object,
    replicasets: t.Sequence[Object],
    pods: t.Sequence[Object],
    events: t.Sequence[Object],
    now: datetime.datetime,
    grace: float = 30.0,
    stale: Object | None = None,
) -> State:
    """Return the state of a rollout.

    pods, replicasets: at least those of the Deployment. events: of its pods, none without the permission to read them.
    grace: see pods.problem(). stale: the Progressing condition from before the change, which the controller may not
    have replaced yet.
    """
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status", {})
    replicasets_of_it = {rs["metadata"]["uid"]: rs for rs in replicasets if owner(rs) == deployment["metadata"]["uid"]}
    newest = next((rs for rs in replicasets_of_it.values() if _revision(rs) == _revision(deployment)), None)
    if newest is None or status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return State(wanted)

    present = [pod for pod in pods if owner(pod) in replicasets_of_it and not is_finished(pod)]
    new = [pod for pod in present if owner(pod) == newest["metadata"]["uid"] and not is_leaving(pod)]
    ready = sum(is_ready(pod) for pod in new)
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    # At size 0 the containers have ended only when the pods are gone. Otherwise old pods may still finish requests.
    done = counts == {wanted} and (wanted > 0 or not present)
    if done:
        return State(wanted, ready, done=True)
    if not wanted:
        # Problems of pods that are to be removed do not matter.
        return State(wanted, ready, leaving=len(present))
    problems = {pod["metadata"]["name"]: found for pod in new if (found := problem(pod, events, now, grace))}
    terminal = _terminal(deployment, newest, problems, len(new), stale)
    return State(
        wanted,
        ready,
        leaving=len(present) - len(new),
        reason=terminal.reason if terminal else "",
        failed=f"{terminal.message}; {terminal.advice}" if terminal else "",
        problems=tuple(f"pod {pod}: {found.message}" for pod, found in problems.items()),
    )


def _terminal(
    deployment: Object, newest: Object, problems: dict[str, Problem], pods: int, stale: Object | None
) -> Problem | None:
    """Return why the rollout cannot succeed. problems: by name of a new pod. pods: how many new pods there are."""
    if deployment["spec"].get("paused"):
        return Problem("Paused", "it is paused", "resume it (kubectl rollout resume)")
    # A single pod may run without becoming ready; when all of them do, the version is at fault.
    all_unready = len(problems) == pods and all(found.reason == UNHEALTHY for found in problems.values())
    for pod, found in problems.items():
        if not found.may_pass and (found.reason != UNHEALTHY or all_unready):
            return Problem(found.reason, f"pod {pod}: {found.message}", found.advice)

    refused = condition(newest, "ReplicaFailure")
    if refused.get("status") == "True":
        return Problem(
            "ReplicaFailure",
            f"its pods are refused ({refused.get('message')})",
            "raise the quota or correct the template",
        )
    progressing = condition(deployment, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded" and progressing != stale:
        return Problem(
            "ProgressDeadlineExceeded", f"it made no progress ({progressing.get('message')})", "see its events"
        )
    return None


def _revision(obj: Object) -> str | None:
    revision: str | None = obj["metadata"].get("annotations", {}).get(REVISION)
    return revision
