# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far the rollout of a Deployment is, and whether it can still succeed. Pure: objects in, a state out."""

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
    """wanted, ready: pods of the newest revision; leaving: pods of any revision that still have to go.

    reason, failed: why the rollout can't succeed: the cluster's word, and a
    clause with what to do; both empty while it can. problems: a clause for
    each pod that will not become ready as it is.
    """

    wanted: int
    ready: int = 0
    leaving: int = 0
    done: bool = False
    reason: str = ""
    failed: str = ""
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.leaving and self.ready >= self.wanted:
            return f"{self.leaving} pods still leaving"
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
    """The state of a rollout.

    pods, replicasets: at least those of the Deployment. events: the pods',
    none if we may not read them. grace: seconds of what can
    pass by itself. stale: the Progressing condition from before our change,
    which the controller may not have replaced yet.
    """
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status", {})
    own = {rs["metadata"]["uid"]: rs for rs in replicasets if owner(rs) == deployment["metadata"]["uid"]}
    newest = next((rs for rs in own.values() if _revision(rs) == _revision(deployment)), None)
    if newest is None or status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return State(wanted)

    present = [pod for pod in pods if owner(pod) in own and not is_finished(pod)]
    new = [pod for pod in present if owner(pod) == newest["metadata"]["uid"] and not is_leaving(pod)]
    ready = sum(is_ready(pod) for pod in new)
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    # At 0 the containers are gone only when the pods are; otherwise those that finish their requests may take their time
    done = counts == {wanted} and (wanted > 0 or not present)
    if done:
        return State(wanted, ready, done=True)
    if not wanted:
        # Pods that have to go may be as broken as they are
        return State(wanted, ready, leaving=len(present))
    problems = {pod["metadata"]["name"]: found for pod in new if (found := problem(pod, events, now, grace))}
    hopeless = _hopeless(deployment, newest, problems, len(new), stale)
    return State(
        wanted,
        ready,
        leaving=len(present) - len(new),
        reason=hopeless.reason if hopeless else "",
        failed=f"{hopeless.said}; {hopeless.advice}" if hopeless else "",
        problems=tuple(f"pod {pod}: {found.said}" for pod, found in problems.items()),
    )


def _hopeless(
    deployment: Object, newest: Object, problems: dict[str, Problem], pods: int, stale: Object | None
) -> Problem | None:
    """What will keep the rollout from succeeding; problems: by name of a new pod, of C(pods) such pods."""
    if deployment["spec"].get("paused"):
        return Problem("Paused", "it is paused", "resume it (kubectl rollout resume)")
    # One that runs and isn't ready may be alone with that; when all of them are, it is the version
    all_unready = len(problems) == pods and all(found.reason == UNHEALTHY for found in problems.values())
    for pod, found in problems.items():
        if not found.may_pass and (found.reason != UNHEALTHY or all_unready):
            return Problem(found.reason, f"pod {pod}: {found.said}", found.advice)

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
    return obj["metadata"].get("annotations", {}).get(REVISION)
