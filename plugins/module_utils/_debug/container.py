# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run probes in an ephemeral container of a pod: in its own network, under the NetworkPolicies that select it.

Nothing removes such a container from its pod. Its command ends it; its entry stays until the pod goes.
"""

from __future__ import annotations

import secrets
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._debug import judge, objects, output
from ansible_collections.mcp.server.plugins.module_utils._debug.job import purpose
from ansible_collections.mcp.server.plugins.module_utils._debug.objects import Object, Options
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Outcome, Probe
from ansible_collections.mcp.server.plugins.module_utils._jobs.reading import state
from ansible_collections.mcp.server.plugins.module_utils._jobs.running import POLL, SHOWN, refused
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unanswered
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import (
    TERMINAL,
    is_finished,
    is_leaving,
    name_of,
)


def in_pod(
    task: Task, cluster: Api, server: Server, pod: str, options: Options, asked: t.Sequence[Probe]
) -> tuple[list[Outcome], str, Object]:
    """Return what came of the probes, the container's name, and the patch that added it. Raises Failure."""
    bound, name = Deadline(options.timeout), f"debug-{secrets.token_hex(4)}"
    patch = objects.ephemeral(name, asked, options)
    if not task.check_mode:
        task.progress(f"container {name} in pod {server.namespace}/{pod} asks {len(asked)} probes")
    _add(cluster, server, pod, name, patch, dry_run=task.check_mode)
    if task.check_mode:
        return [], name, patch
    found = _ended(task, cluster, server, pod, name, options, bound)
    return judge.outcomes(asked, output.steps(cluster, server.namespace, found, name)), name, patch


def some_pod(cluster: Api, server: Server) -> Object:
    """Return a pod of the server that runs: of the first pool that has one. Raises Failure."""
    for pool in POOLS:
        pods = [one for one in server.pods(cluster, pool) if not (is_leaving(one) or is_finished(one))]
        if pods:
            return min(pods, key=name_of)
    raise Failure(f"{server} has no pod in either pool, so there is none to add a container to: leave out ephemeral.")


def _add(cluster: Api, server: Server, pod: str, name: str, patch: Object, *, dry_run: bool) -> None:
    path = f"{paths.pods(server.namespace, pod)}/ephemeralcontainers"
    try:
        cluster.patch(path, patch, "strategic", dry_run=dry_run)
    except Unanswered:
        found = cluster.get(paths.pods(server.namespace, pod))
        if name not in [one.get("name") for one in items(found, "spec", "ephemeralContainers")]:
            cluster.patch(path, patch, "strategic")
    except Failure as failure:
        if (refusal := refused(failure.msg, purpose(server))) is None:
            raise
        raise Failure(
            f"The cluster refuses a container in pod {server.namespace}/{pod} to debug {server} ({refusal[0]}): "
            f"{refusal[1]}."
        ) from None


def _ended(task: Task, cluster: Api, server: Server, pod: str, name: str, options: Options, bound: Deadline) -> Object:
    """Return the pod once the probes have been asked, or the time is over. Raises Failure."""
    shown = 0.0
    while True:
        found = cluster.get(paths.pods(server.namespace, pod))
        now = state(found, name)
        if "terminated" in now:
            return found
        if options.stay and "running" in now and output.is_complete(cluster, server.namespace, found, name):
            return found
        waiting = now.get("waiting") or {}
        reason = str(waiting.get("reason") or "")
        said = printable(f"{reason} ({waiting.get('message')})" if waiting.get("message") else reason, 300)
        if reason in TERMINAL:
            raise Failure(
                f"The probes of {server} were not asked: container {name} of pod {pod} does not start: {said}; "
                f"{TERMINAL[reason]}, and that the image has the command timeout."
            )
        if bound.elapsed - shown >= SHOWN:
            shown = bound.elapsed
            what = "the probes are being asked" if "running" in now else f"waiting for container {name}"
            task.progress(f"{what}, {bound.elapsed:.0f} of {bound.seconds:.0f} s{said and f': {said}'}")
        if not bound.pause(POLL):
            if "running" in now:
                return found
            raise Failure(
                f"The probes of {server} were not asked: container {name} of pod {pod} has not started within "
                f"{bound.seconds:g} s ({said or 'the kubelet says nothing of it'}). See kubectl -n {server.namespace} "
                f"describe pod {pod}."
            )
