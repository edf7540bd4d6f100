# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a Job that ends and goes by itself, wait for its pod, and say in one sentence why it does not run."""

from __future__ import annotations

import re
import typing as t
from contextlib import suppress

from ansible_collections.mcp.server.plugins.module_utils._jobs.reading import state
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import api, paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import REPAIR_WEBHOOK
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unanswered
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import (
    event_time,
    is_finished,
    name_of,
    owner,
    problem,
    uid_of,
)

POLL = 0.5  # seconds
GRACE = 5.0  # seconds, see pods.problem()
POD_GRACE = 2.0  # seconds after which a Job without a pod is looked into
PULL_SECONDS, MOST_PODS = 2.0, 100  # for the Secrets of images: of the request, and of the pods that are looked at
MOST_SECRETS = 10  # by which the image is pulled
SHOWN = 5.0  # seconds between lines of progress
QUOTA = "exceeded quota"
# Of a LimitRange, as the API server says it.
OF_LIMIT_RANGE = re.compile(r"(maximum|minimum) \S{1,100} usage per (Container|Pod)|limit to request ratio per")


class NotStarted(Failure):
    """The pod was refused, or does not start. reason: the cluster's word for it, where it has one."""

    def __init__(self, msg: str, reason: str = "") -> None:
        super().__init__(msg)
        self.reason = reason


class Purpose(t.NamedTuple):
    """What a Job is for, as its sentences say it.

    container: its name. to_do and does: such as "to debug prod/mcp" and "which debugs prod/mcp". not_done: a clause.
    doing: what its container does while it runs, a clause. image, user: what sets them. resources: that it has.
    """

    container: str
    to_do: str
    does: str
    not_done: str
    doing: str
    image: str
    user: str
    resources: str


def create(cluster: Api, server: Server, wanted: Object, purpose: Purpose, *, dry_run: bool = False) -> Object:
    """Create the Job; return it as stored. Raises Failure, NotStarted when something else than a right refuses it."""
    collection, query = paths.jobs(server.namespace), {"dryRun": "All"} if dry_run else {}
    try:
        return cluster.create(collection, wanted, **query)
    except Unanswered:
        # Nobody else has its name. A dry run stores none.
        with suppress(api.NotFound):
            return cluster.get(paths.jobs(server.namespace, name_of(wanted)))
        return cluster.create(collection, wanted, **query)
    except Failure as failure:
        if (refusal := refused(failure.msg, purpose)) is None:
            raise
        raise NotStarted(
            f"The cluster refuses a Job in {server.namespace} {purpose.to_do} ({refusal[0]}): {refusal[1]}."
        ) from None


def delete(cluster: Api, server: Server, name: str) -> None:
    """Delete the Job and its pod. Whatever fails here, the cluster removes both by itself."""
    with suppress(Failure):
        cluster.limited(0.0, 3.0).delete(paths.jobs(server.namespace, name), propagationPolicy="Background")


def pull_secrets(cluster: Api, server: Server) -> tuple[str, ...]:
    """Return the Secrets by which pods of the namespace pull images: the Job's image may be beside theirs."""
    try:
        found = cluster.limited(0.0, PULL_SECONDS).get(paths.pods(server.namespace), limit=str(MOST_PODS))
    except Failure:
        return ()
    return pull_secrets_of(items(found, "items"))


def pull_secrets_of(pods: t.Sequence[Object]) -> tuple[str, ...]:
    """Return the names of the Secrets by which these pods pull their images. Pure."""
    names = [one.get("name") for pod in pods for one in items(pod, "spec", "imagePullSecrets")]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))[:MOST_SECRETS]


def refused(message: str, purpose: Purpose) -> tuple[str, str] | None:
    """Return why an object was refused by something else than missing rights, and what to do about it. Pure."""
    said = message.removeprefix("The API server refuses: ").partition("; grant this user")[0]
    short = printable(said.removesuffix(f"; {REPAIR_WEBHOOK}."), 400).rstrip(".")
    if QUOTA in message:
        return short, "free some of the quota, or raise it"
    if OF_LIMIT_RANGE.search(message):
        return short, f"let the namespace's LimitRange allow {purpose.resources}"
    if "violates PodSecurity" in message:
        return short, "name an image and a user that the namespace's Pod Security level accepts"
    if "unable to validate against any security context constraint" in message:
        return short, f"leave the user to the namespace: set {purpose.user} to 0"
    if "failed calling webhook" in message:
        return short, REPAIR_WEBHOOK
    if "admission webhook" in message or "ValidatingAdmissionPolicy" in message or "limits.memory" in message:
        return short, f"name what the policy accepts, such as an image of your own registry ({purpose.image})"
    return None


def followed(
    cluster: Api,
    server: Server,
    job: Object,
    purpose: Purpose,
    bound: Deadline,
    *,
    progress: t.Callable[[str], None] = lambda line: None,
    is_complete: t.Callable[[Object], bool] = lambda pod: False,
    running_seconds: float | None = None,
) -> Object:
    """Return the Job's pod once its container has ended, or the time is over while it runs. Raises Failure, NotStarted.

    is_complete: whether a pod whose container runs has done what it is for. running_seconds: how long its container may
    run, when that is less than what is left.
    """
    shown, pod = 0.0, Object()
    runs: Deadline | None = None
    selector = selectors.job_pods(name_of(job))
    while True:
        found = items(cluster.get(paths.pods(server.namespace), labelSelector=selector), "items")
        pod = next((one for one in found if owner(one) == uid_of(job)), pod)
        now = state(pod, purpose.container)
        if "terminated" in now:
            return pod
        if is_finished(pod):
            status = mapping(pod, "status")
            why = printable(": ".join(str(status[key]) for key in ("reason", "message") if status.get(key)), 300)
            raise NotStarted(
                f"{purpose.not_done}: its pod has ended ({why.rstrip('.') or 'no reason given'}). Run it again.",
                str(status.get("reason") or ""),
            )
        reason = _why(cluster, server, job, pod, purpose, bound)
        if "running" in now:
            runs = runs or Deadline(bound.left if running_seconds is None else running_seconds)
            if is_complete(pod) or not runs.left:
                return pod
        if bound.elapsed - shown >= SHOWN:
            shown = bound.elapsed
            progress(
                f"{_doing(pod, now, purpose)}, {bound.elapsed:.0f} of {bound.seconds:.0f} s{reason and f': {reason}'}"
            )
        if not bound.pause(POLL):
            if "running" in now:
                return pod
            raise NotStarted(
                f"{purpose.not_done}: Job {name_of(job)} has not started within {bound.seconds:g} s "
                f"({reason or 'its pod waits'}). See kubectl -n {server.namespace} describe pod -l {selector}; the "
                "cluster removes it by itself."
            )


def _doing(pod: Object, now: Object, purpose: Purpose) -> str:
    if "running" in now:
        return purpose.doing
    return f"waiting for pod {name_of(pod)}" if pod else "waiting for the Job's pod"


def _why(cluster: Api, server: Server, job: Object, pod: Object, purpose: Purpose, bound: Deadline) -> str:
    """Return why the pod does not start, a clause; empty when nothing tells. Raise NotStarted when it never will."""
    if not pod:
        if bound.elapsed < POD_GRACE:
            return ""
        message = _newest_warning(cluster, server, job)
        refusal = refused(message, purpose)
        if refusal and "failed calling webhook" not in message:
            raise NotStarted(
                f"The cluster refuses the pod of Job {server.namespace}/{name_of(job)}, {purpose.does} "
                f"({refusal[0]}): {refusal[1]}."
            )
        return printable(message, 300)
    found = problem(pod, [], cluster.now(), GRACE, purpose.container)
    if found is None:
        return ""
    if not found.may_pass and found.reason != "Unschedulable":
        raise NotStarted(
            f"{purpose.not_done}: pod {name_of(pod)} does not start: {found.message}; {found.advice}.", found.reason
        )
    return str(found)


def _newest_warning(cluster: Api, server: Server, job: Object) -> str:
    """Return the newest warning about the Job; empty without one, or without the right to read events."""
    try:
        selector = f"involvedObject.uid={uid_of(job)},type=Warning"
        found = items(cluster.get(paths.events(server.namespace), fieldSelector=selector), "items")
    except Failure:
        return ""
    return str(max(found, key=event_time, default={}).get("message") or "")
