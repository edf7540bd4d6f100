# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have a pod replaced that an OrderedReady StatefulSet waits for in vain (Kubernetes calls it a forced rollback).

The controller waits for a pod that is not ready also after the template was put back. But it removes pods from the end
when the set gets smaller, ready or not. So the set is scaled to the size at which that pod is gone, and up again: no
pod is deleted by anybody but its controller, and its volumes stay.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import pool_change
from ansible_collections.mcp.server.plugins.module_utils._workload import stateful_sets
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import is_behind

POLL = 0.5  # seconds


def remover(
    task: Task, cluster: Api, server: Server, pool: str, changed: dict[str, t.Any], run: str | None, patience: Deadline
) -> t.Callable[[stateful_sets.Blocked], bool]:
    """Return what rollout.wait() calls to remove such a pod. changed: what pool_change.change() returned.

    It leaves a pool alone that would lose ready pods while it has traffic, and a set that would lose volumes or that
    the controller would not make smaller. Raises Failure and LeaseLost.
    """

    def remove(blocked: stateful_sets.Blocked) -> bool:
        if (
            not blocked.alone
            or blocked.loses_volumes
            or (blocked.ready and pool_change.weight_of(cluster, server, pool))
        ):
            return False
        now = {"image_ref": changed["image_ref"], "replicas": changed["replicas"]}
        less = {**now, "replicas": blocked.size}
        task.progress(
            f"{pool}: {server.workload_title(pool)} waits for pod {blocked.pod}, which is of a former revision and not "
            f"ready: scaling it to {blocked.size} and back to {now['replicas']} pods to have it replaced"
        )
        pool_change.write(cluster, server, pool, now, less, run)
        try:
            _await_removal(cluster, server, pool, blocked.size, patience)
        finally:
            pool_change.write(cluster, server, pool, less, now, run)
        return True

    return remove


def _await_removal(cluster: Api, server: Server, pool: str, size: int, patience: Deadline) -> None:
    """Wait until the pods from this one on are terminating, within the patience: the set may grow again then."""
    while True:
        workload = cluster.get(server.workload_path(pool))
        if mapping(workload, "spec").get("replicas") != size:  # an autoscaler's choice
            return
        selector = selectors.labels(mapping(workload, "spec", "selector", "matchLabels"))
        pods = items(cluster.get(paths.pods(server.namespace), labelSelector=selector), "items")
        if not is_behind(workload) and not stateful_sets.pods_from(workload, pods, size):
            return
        if not patience.pause(POLL):
            return
