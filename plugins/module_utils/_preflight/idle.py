# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pool that a release would deploy to: which it is, how many pods it lacks, and what each of them asks for."""

from __future__ import annotations

import math
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._preflight import needs
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._release import pools, record
from ansible_collections.mcp.server.plugins.module_utils._results import Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_finished


class Idle(t.NamedTuple):
    """The pool without traffic."""

    pool: str
    # Of its pods.
    template: Object
    # How many pods a release gives it, and how many of them it has already.
    planned: int
    has: int
    # What each asks for, with the defaults of the namespace's LimitRanges as far as these may be read.
    needs: needs.Needs
    # Pods with less may have to give way to it.
    priority: float = 0

    @property
    def lacks(self) -> int:
        return max(0, self.planned - self.has)


def find(context: Context) -> Idle:
    """Return the idle pool. Raise Skipped where it cannot be told, which other checks report."""
    return context.once("idle", lambda: _find(context))


def limit_ranges(context: Context) -> list[Object]:
    """Return the namespace's LimitRanges. Raise Failure."""
    path = paths.resource("v1", context.server.namespace, "limitranges")
    return context.once("limit ranges", lambda: items(context.cluster.get(path), "items"))


def workloads(context: Context) -> dict[str, Object]:
    """Return the pools' workloads. Raise Failure."""
    paths_of = {pool: context.server.workload_path(pool) for pool in POOLS}
    return context.once("workloads", lambda: {pool: context.cluster.get(path) for pool, path in paths_of.items()})


def _find(context: Context) -> Idle:
    cluster, server = context.cluster, context.server
    try:
        live = _live(cluster, server)
        if live is None:
            raise Skipped("Which pool is idle cannot be told by the weights of the route, so its pods are not counted.")
        pool, found = other(live), workloads(context)
        pods = [one for one in server.pods(cluster, pool) if not is_finished(one)]
        priority = _priority(pods or server.pods(cluster, live))
        _image, planned = server.deployed(cluster, found[live], live)
    except (Forbidden, Unreachable):
        raise
    except Failure:
        raise Skipped("The idle pool is not known, as the checks of the route or of the pools have failed.") from None
    template = mapping(found[pool], "spec", "template")
    try:
        ranges = limit_ranges(context)
    except (Forbidden, NotFound):
        ranges = []
    return Idle(pool, template, max(planned, 1), len(pods), needs.of_pod(mapping(template, "spec"), ranges), priority)


def _priority(pods: t.Iterable[Object]) -> float:
    """Return below which priority pods give way to others of these: none does where they may not evict."""
    found = [
        -math.inf if spec.get("preemptionPolicy") == "Never" else needs.priority(spec)
        for pod in pods
        if (spec := mapping(pod, "spec"))
    ]
    return min(found, default=0)


def _live(cluster: Api, server: Server) -> str | None:
    kind = kind_of(server)
    weights = kind.weights(kind.read(cluster, server), server)
    release_record, _version = record.read(cluster, server)
    return pools.stable(weights, release_record.current)
