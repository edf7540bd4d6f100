# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change what a pool runs, as far as its traffic allows."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import affinity
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling, disruption_budgets
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import Object, condition
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout import fenced, patch


def change(
    task: Task,
    cluster: Api,
    server: Server,
    pool: str,
    *,
    image_ref: str | None = None,
    replicas: int | None = None,
    run: str | None = None,
) -> tuple[dict[str, t.Any], Object | None]:
    """Changes what differs, and waits for nothing: the result so far, and the Progressing condition from before.

    Where an autoscaler works on the pool, its least size is raised, and it does what is left: going down.
    run: where it is not the one in the option C(run_id). Raises Lost when it was taken over.
    """
    run = run or task.params["run_id"]
    has_image_ref, has_replicas = server.image(cluster, pool)
    before: dict[str, t.Any] = {"image_ref": has_image_ref, "replicas": has_replicas}
    after = {
        "image_ref": before["image_ref"] if image_ref is None else image_ref,
        "replicas": before["replicas"] if replicas is None else replicas,
    }
    scaler = autoscaling.find(cluster, server, task.warn).get(pool) if replicas is not None else None
    if scaler and replicas is not None:
        after["replicas"] = scaler.size(has_replicas, replicas)
        if 0 < replicas != after["replicas"]:
            task.progress(
                f"HorizontalPodAutoscaler {scaler.name} decides the size of pool {pool}: {after['replicas']} pods, {replicas} were asked for"
            )
    if after["replicas"] < has_replicas:
        _keep_budget(task, cluster, server, pool, has_replicas, after["replicas"])
    shrinks = after["replicas"] < has_replicas and not task.check_mode
    if shrinks and (weight := _weight(cluster, server, pool)):
        raise Failure(
            f"Refusing to scale pool {pool} of {server} from {has_replicas} to {after['replicas']} pods: the route gives it {weight} % of the traffic. "
            "Shift the traffic away first."
        )

    raised = bool(scaler) and autoscaling.set_min_replicas(
        cluster, server, scaler, replicas or 0, run, dry_run=task.check_mode, warn=task.warn
    )
    result = {
        "changed": before != after or raised,
        "deployment": f"{server.namespace}/{server.deployment(pool)}",
        "previous": before,
        **after,
        "autoscaler": {
            "name": scaler.name,
            "min_replicas": scaler.min_replicas_for(replicas or 0),
            "original_min_replicas": scaler.original_min_replicas,
        }
        if scaler
        else None,
        "diff": {"before": before, "after": after},
    }
    if raised:
        least = (scaler.min_replicas, scaler.min_replicas_for(replicas or 0))
        result["diff"] = {"before": {**before, "min_replicas": least[0]}, "after": {**after, "min_replicas": least[1]}}
        task.progress(f"HorizontalPodAutoscaler {scaler.name}: minReplicas {least[0]} -> {least[1]}")
    if before == after:
        return result, None
    if after["replicas"] == 0 < has_replicas:
        _let_go(task, cluster, server, pool, run)
    patched = _patched(cluster, server, pool, before, after, run, task.check_mode)
    if shrinks:
        refuse_if_it_has_traffic_again(cluster, server, pool, result, run)
    return result, condition(patched, "Progressing")


def refuse_if_it_has_traffic_again(
    cluster: Api, server: Server, pool: str, result: dict[str, t.Any], run: str | None
) -> None:
    """Give a pool its pods back when it got traffic while it was scaled down. Raises Failure then, and Lost."""
    weight = _weight(cluster, server, pool)
    if not weight:
        return
    has, had = result["replicas"], result["previous"]["replicas"]
    now = {"image_ref": result["image_ref"], "replicas": has}
    _patched(cluster, server, pool, now, {**now, "replicas": had}, run, dry_run=False)
    raise Failure(
        f"Pool {pool} of {server} was scaled to {has} pods and back to {had}: somebody gave it {weight} % of the traffic meanwhile. "
        "Find out who writes the route, and shift the traffic away first.",
        **result,
    )


def _weight(cluster: Api, server: Server, pool: str) -> int:
    """Return the percent of the traffic that the route gives the pool; 0 where there is no route. Raises Failure when that can't be read."""
    # Only here: the kinds of routes are not needed otherwise.
    from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

    kind = kind_of(server)
    try:
        return kind.weights(kind.read(cluster, server), server)[pool]
    except NotFound:
        return 0


def _keep_budget(task: Task, cluster: Api, server: Server, pool: str, now: int, wanted: int) -> None:
    """Raises Failure when a pool that has traffic would go below what its PodDisruptionBudget asks for."""
    # Of no pods no budget asks for any: the end of a pool is judged by the size that it has.
    least, budget = disruption_budgets.required_by(cluster, server, pool, wanted or now, task.warn)
    if wanted >= least:
        return
    weight = _weight(cluster, server, pool)
    if weight:
        raise Failure(
            f"Pool {pool} of {server} is not scaled from {now} to {wanted} pods: it has {weight} % of the traffic, and PodDisruptionBudget {budget} "
            f"asks for {least}; shift the traffic away first, or ask for more pods."
        )


def _let_go(task: Task, cluster: Api, server: Server, pool: str, run: str | None) -> None:
    """A route that is not there, or can't be written, keeps no pool from being scaled down."""
    try:
        if affinity.drop(cluster, server, pool, run, dry_run=task.check_mode):
            task.progress(f"sessions of pool {pool} go with the weights of {server} now")
    except LeaseLost:
        raise
    except Failure as failure:
        task.warn(f"Sessions with the mark of pool {pool} may get a 503 from the gateway. {failure.msg}")


def _patched(
    cluster: Api,
    server: Server,
    pool: str,
    before: dict[str, t.Any],
    after: dict[str, t.Any],
    run: str | None,
    dry_run: bool,
) -> Object:
    path = server.deployment_path(pool)
    deployment = cluster.get(path) if run else None

    def attempt() -> Object:
        if deployment is None or not run:
            return cluster.patch(path, patch(server.container, before, after), "strategic", dry_run=dry_run)
        fence.check(cluster, server, run, dry_run=dry_run)
        return cluster.patch(path, fenced(deployment, server.container, before, after, run), "json", dry_run=dry_run)

    def again(_conflict: Conflict) -> None:
        nonlocal deployment
        found = cluster.get(path)  # waits until the API server is back; the same patch again does no harm
        deployment = found if run else None

    return on_conflict(attempt, cluster.patience, again)
