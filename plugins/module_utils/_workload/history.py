# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the rollout history of a pool: a Deployment's ReplicaSets, a StatefulSet's ControllerRevisions."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._workload import revisions, stateful_sets


def read(cluster: Api, server: Server, pool: str) -> list[dict[str, t.Any]]:
    """Return the revisions of the pool's workload, see revisions.py. Raises Failure."""
    workload = cluster.get(server.workload_path(pool))
    labels = selectors.labels(mapping(workload, "spec", "selector", "matchLabels"))

    def listed(path: str) -> list[dict[str, t.Any]]:
        return items(cluster.get(path, labelSelector=labels), "items")

    container = server.container_in(cluster, workload, pool)
    if not stateful_sets.is_set(workload):
        return revisions.revisions(workload, listed(paths.replica_sets(server.namespace)), container)
    return revisions.revisions_of_set(
        workload,
        listed(paths.controller_revisions(server.namespace)),
        listed(paths.pods(server.namespace)),
        container,
    )
