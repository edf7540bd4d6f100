# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_rollout_info: each pool's present image and size, and the revisions to roll back to."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._release import pools as pools_by_weight
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import revisions as rollout_history

SPEC = Spec(options={**CLUSTER_OPTIONS, **SERVER_OPTIONS, **lease_renewal.OPTION})


def run(task: Task) -> dict[str, t.Any]:
    cluster, server = connect(task.params), Server.from_params(task.params)
    kind = kind_of(server)
    route = kind.read(cluster, server)
    weights = kind.weights(route, server)
    release_record, _version = record.read(cluster, server)
    live, target = (
        pools_by_weight.live(weights),
        pools_by_weight.rollback_target(release_record.current, kind.stable(route, server)),
    )
    back = target.pool if target else other(live) if live else None
    pools = {}
    for pool in POOLS:
        image_ref, replicas = server.image(cluster, pool)
        pools[pool] = {
            "deployment": f"{server.namespace}/{server.workload(pool)}",
            "weight": weights[pool],
            "live": pool == live,
            "image_ref": image_ref,
            "replicas": replicas,
            "ready": server.ready_endpoints(cluster, pool),
            "revisions": revisions(cluster, server, pool),
        }
    return {"changed": False, "pools": pools, "live": live, "rollback_pool": back, "lines": lines(pools, back)}


def revisions(cluster: Api, server: Server, pool: str) -> list[dict[str, t.Any]]:
    """Return the revisions of the pool's Deployment, see _workload/revisions.py."""
    deployment = cluster.get(server.workload_path(pool))
    labels = selectors.labels(mapping(deployment, "spec", "selector", "matchLabels"))
    replicasets = items(cluster.get(paths.replica_sets(server.namespace), labelSelector=labels), "items")
    return rollout_history.revisions(deployment, replicasets, server.container_in(cluster, deployment, pool))


def lines(pools: dict[str, dict[str, t.Any]], back: str | None) -> list[str]:
    """Return a line for each pool and for each revision, for people to read. back: the pool to roll back to. Pure."""
    found = []
    for name, pool in pools.items():
        live = "live, " if pool["live"] else ""
        ready = f"{pool['ready']} of {pool['replicas']} pods ready"
        found.append(f"{name}: {live}{pool['weight']} % of the traffic, {ready}")
        for one in pool["revisions"]:
            cause = (
                f", {one['change_cause']}"
                if (one["image_ref"] or "") not in one["change_cause"] and one["change_cause"]
                else ""
            )
            mark = "*" if one["current"] else " "
            found.append(
                f"{mark} {one['revision']:>3}  {one['created']}  {one['image_ref']}  {one['ready']} ready{cause}"
            )
    hint = f"* marks what a pool runs now; mcp_rollback_revision=N takes N from the history of {back}"
    found.append(hint if back else "neither pool has a majority of the traffic")
    return found
