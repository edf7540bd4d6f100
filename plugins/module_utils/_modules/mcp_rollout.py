# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_rollout: change a pool's image or size, and wait until that is complete or can't be."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import blocked_pods
from ansible_collections.mcp.server.plugins.module_utils._traffic.pool_change import (
    change,
    refuse_if_it_has_traffic_again,
)
from ansible_collections.mcp.server.plugins.module_utils._workload import convergence, history
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import Object
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout import View, wait

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "pool": {"type": "str", "required": True, "choices": list(POOLS)},
        "image_ref": {"type": "str"},
        "replicas": {"type": "int"},
        "wait_timeout": {"type": "float", "default": 600.0},
        "ready_grace": {"type": "float", "default": 30.0},
        "keep_logs": {"type": "bool", "default": False},
    },
    required_one_of=[("image_ref", "replicas")],
)


@lease_renewal.with_lease
def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["image_ref"] is not None:
        Image.parse(params["image_ref"])
    server, pool = Server.from_params(params), params["pool"]
    cluster = connect(params)
    kept = _keep_logs(task, cluster, server, pool)
    began = time.monotonic()
    result, stale = change(task, cluster, server, pool, image_ref=params["image_ref"], replicas=params["replicas"])
    result["kept_logs"] = kept
    if task.check_mode:
        return result
    view = View(
        cluster,
        server,
        pool,
        params["ready_grace"],
        stale,
        _refuse_overwritten(task, cluster, server, pool, result),
        changed_ago=time.monotonic() - began if result["changed"] else None,
    )
    patience = Deadline(params["wait_timeout"])
    try:
        unblock = blocked_pods.remover(task, cluster, server, pool, result, params["run_id"], patience)
        reached = wait(view, patience, task.progress, unblock=unblock)
    except LeaseLost:
        raise
    except Failure as failure:
        raise Failure(failure.msg, **result, **failure.evidence, seconds=round(patience.elapsed, 3)) from None
    seconds = round(patience.elapsed, 3)
    if result["replicas"] < result["previous"]["replicas"]:
        # Once more: its pods took a while to end.
        refuse_if_it_has_traffic_again(cluster, server, pool, result, params["run_id"])
    if result["changed"]:
        _record_seconds(
            task,
            cluster,
            server,
            lambda release_record: record.add_rollout(release_record, pool, result["image_ref"], seconds),
        )
    if reached.wanted and outage.current().ago < convergence.TRIES:
        convergence.endpoints(task, cluster, server, pool, reached.ready)
        convergence.gateway(task, pool)
    return {**result, "ready": reached.ready, "revision": _revision(cluster, server, view), "seconds": seconds}


def _keep_logs(task: Task, cluster: Api, server: Server, pool: str) -> dict[str, t.Any] | None:
    """Keep the logs of pods that this change is going to end, as far as the task asks for it."""
    params = task.params
    if not params["keep_logs"] or task.check_mode:
        return None
    image_ref, replicas = server.image(cluster, pool)
    shrinks = params["replicas"] is not None and params["replicas"] < replicas
    if not shrinks and params["image_ref"] in (None, image_ref):
        return None
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._workload import kept_logs

    return kept_logs.keep(task, cluster, server, pool)


def _revision(cluster: Api, server: Server, view: View) -> str:
    """Return the number of the workload's revision. Of a StatefulSet it is empty without the right to list them."""
    if not view.is_set:
        return view.revision
    try:
        known = history.read(cluster, server, view.pool)
    except Forbidden:
        return ""
    return next((str(one["revision"]) for one in known if one["current"]), "")


def _refuse_overwritten(
    task: Task, cluster: Api, server: Server, pool: str, result: dict[str, t.Any]
) -> t.Callable[[Object], None]:
    """Return a check of the workload: it raises Overwritten when another client changed it, LeaseLost for a run."""
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._traffic import overwrite_monitor
    from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Expected

    params = task.params
    images = {} if params["image_ref"] is None else {pool: result["image_ref"]}
    # An autoscaler chooses the size itself.
    sizes = {} if params["replicas"] is None or result["autoscaler"] else {pool: result["replicas"]}
    runs = frozenset({params["run_id"]} if params["run_id"] else ())
    return lambda workload: overwrite_monitor.refuse(
        cluster, server, pool, workload, Expected(images=images, sizes=sizes, runs=runs, pool=pool)
    )


def _record_seconds(task: Task, cluster: Api, server: Server, change: record.Change) -> None:
    """Record how long the rollout took. Failing to is a warning: the pool is as requested. Raises LeaseLost."""
    try:
        record.update(cluster, server, change, run=task.params["run_id"])
    except LeaseLost:
        raise
    except Failure as failure:
        task.warn(f"The rollout time of {server} was not recorded. {failure.msg}")
