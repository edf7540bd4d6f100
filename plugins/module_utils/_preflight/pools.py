# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the pools run now, and in what they differ."""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._image import digest_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._preflight import idle
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._results import Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._status import drift as pool_drift
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_ready

NOT_READ = "The pools are not compared, as the checks of their objects have failed."


def running(context: Context, pool: str) -> str:
    """Return a sentence with the pool's image and the digests that its ready pods run. Raise Failure where they differ.

    The image is the reference for a rollback.
    """
    cluster, server = context.cluster, context.server
    try:
        workload = idle.workloads(context)[pool]
        image, replicas = server.deployed(cluster, workload, pool)
        container = server.container_in(cluster, workload, pool)
        pods = [pod for pod in server.pods(cluster, pool) if is_ready(pod)]
    except (Forbidden, Unreachable):
        raise
    except Failure:
        raise Skipped(f"What pool {pool} runs is not known, as the checks of its objects have failed.") from None
    digests = {
        digest_of(str(status.get("imageID") or ""))
        for pod in pods
        for status in items(pod, "status", "containerStatuses")
        if status.get("name") == container
    } - {""}
    if problems := pool_drift.of_pods(pool, digests):
        raise Failure(f"{' '.join(problems)} Roll its {server.objects(pool).kind} out again before the release.")
    shown = f" ({printable(next(iter(digests)), 80)})" if digests else ""
    return f"Pool {pool} has {printable(image, 200)}{shown}, {len(pods)} of {replicas} pods ready."


def drift(context: Context) -> str:
    """Return a sentence when the pools differ in nothing but image and pool. Raise Failure with what they differ in."""
    cluster, server = context.cluster, context.server
    try:
        workloads = idle.workloads(context)
        containers = {pool: server.container_in(cluster, workloads[pool], pool) for pool in POOLS}
    except (Forbidden, Unreachable):
        raise
    except Failure:
        raise Skipped(NOT_READ) from None
    names = {pool: [server.workload(pool), server.service(pool)] for pool in POOLS}
    try:
        found = pool_drift.between_pools(workloads, names, containers)
    except RecursionError:
        raise Skipped("The pod templates of the pools are nested too deeply to compare them.") from None
    if found:
        raise Failure(f"{' '.join(found)} Make them equal, unless the new version needs it so.")
    return "The pod templates of the pools differ in nothing but the image and what names the pool."
