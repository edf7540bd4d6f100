# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change a pool's image or size, as far as its traffic allows."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._image import same_name
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import affinity
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling, disruption_budgets, stateful_sets
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
    """Change what differs, and wait for nothing. Return the result so far, and the Progressing condition from before.

    Where an autoscaler works on the pool, its minReplicas is set, and scaling down is left to it.
    run: the run that writes, when it is not the one in the option C(run_id). Raises LeaseLost and Failure.
    """
    run = run or task.params["run_id"]
    workload = cluster.get(server.workload_path(pool))
    has_image_ref, has_replicas = server.deployed(cluster, workload, pool)
    before: dict[str, t.Any] = {"image_ref": has_image_ref, "replicas": has_replicas}
    after: dict[str, t.Any] = {
        "image_ref": has_image_ref if image_ref is None else image_ref,
        "replicas": has_replicas if replicas is None else replicas,
    }
    if after["image_ref"] != has_image_ref:
        _refuse_kept_pods(server, pool, workload)
        _refuse_other_container(cluster, server, pool, workload, after["image_ref"])
    scaler = autoscaling.find(cluster, server, task.warn).get(pool) if replicas is not None else None
    if scaler and replicas is not None:
        after["replicas"] = scaler.size(has_replicas, replicas)
        if 0 < replicas != after["replicas"]:
            task.progress(
                f"HorizontalPodAutoscaler {scaler.name} sizes pool {pool}: "
                f"{after['replicas']} pods ({replicas} requested)"
            )
    if after["replicas"] < has_replicas:
        _keep_budget(task, cluster, server, pool, has_replicas, after["replicas"])
    shrinks = after["replicas"] < has_replicas and not task.check_mode
    if shrinks and (weight := weight_of(cluster, server, pool)):
        raise Failure(
            f"Refusing to scale pool {pool} of {server} from {has_replicas} to {after['replicas']} pods: "
            f"the route gives it {weight} % of the traffic. Shift the traffic away first."
        )

    raised = scaler is not None and autoscaling.set_min_replicas(
        cluster, server, scaler, replicas or 0, run, dry_run=task.check_mode, warn=task.warn
    )
    result = {
        "changed": before != after or raised,
        "workload": server.workload_title(pool),
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
    if raised and scaler:
        old, new = scaler.min_replicas, scaler.min_replicas_for(replicas or 0)
        result["diff"] = {"before": {**before, "min_replicas": old}, "after": {**after, "min_replicas": new}}
        task.progress(f"HorizontalPodAutoscaler {scaler.name}: minReplicas {old} -> {new}")
    if before == after:
        return result, None
    if after["replicas"] == 0 < has_replicas:
        _end_affinity(task, cluster, server, pool, run)
    container = server.container_in(cluster, workload, pool)
    patched = write(cluster, server, pool, before, after, run, dry_run=task.check_mode, container=container)
    if shrinks:
        refuse_if_it_has_traffic_again(cluster, server, pool, result, run)
    return result, condition(patched, "Progressing")


def refuse_if_it_has_traffic_again(
    cluster: Api, server: Server, pool: str, result: dict[str, t.Any], run: str | None
) -> None:
    """Scale a pool up again that got traffic while it was scaled down, and raise Failure then. Raises LeaseLost."""
    weight = weight_of(cluster, server, pool)
    if not weight:
        return
    has, had = result["replicas"], result["previous"]["replicas"]
    now = {"image_ref": result["image_ref"], "replicas": has}
    write(cluster, server, pool, now, {**now, "replicas": had}, run)
    raise Failure(
        f"Pool {pool} of {server} was scaled to {has} pods and back to {had}: another client gave it {weight} % of the "
        "traffic in between. Find out which client writes the route, and shift the traffic away first.",
        **result,
    )


def weight_of(cluster: Api, server: Server, pool: str) -> int:
    """Return the pool's percentage of the traffic; 0 where there is no route. Raises Failure when it can't be read."""
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

    kind = kind_of(server)
    try:
        return kind.weights(kind.read(cluster, server), server)[pool]
    except NotFound:
        return 0


def _keep_budget(task: Task, cluster: Api, server: Server, pool: str, now: int, wanted: int) -> None:
    """Raise Failure when a pool that has traffic would get fewer pods than its PodDisruptionBudget requires."""
    # A budget requires no pods of none: a pool that is scaled to 0 is judged by the size that it has.
    minimum, budget = disruption_budgets.required_by(cluster, server, pool, wanted or now, task.warn)
    if wanted >= minimum:
        return
    weight = weight_of(cluster, server, pool)
    if weight:
        raise Failure(
            f"Refusing to scale pool {pool} of {server} from {now} to {wanted} pods: it has {weight} % of the traffic, "
            f"and PodDisruptionBudget {budget} requires {minimum}. Shift the traffic away first, or request more pods."
        )


def _end_affinity(task: Task, cluster: Api, server: Server, pool: str, run: str | None) -> None:
    """Send the pool's marked sessions to the other pool. Failing to is a warning, and the pool is scaled down."""
    try:
        if affinity.drop(cluster, server, pool, run, dry_run=task.check_mode):
            task.progress(f"session affinity of pool {pool} of {server} ended: its sessions follow the weights")
    except LeaseLost:
        raise
    except Failure as failure:
        task.warn(f"Sessions of pool {pool} of {server} may get a 503 from the gateway. {failure.msg}")


def _refuse_kept_pods(server: Server, pool: str, workload: Object) -> None:
    """Raise Failure for a StatefulSet that would not give the new image to all of its pods."""
    if stateful_sets.is_set(workload) and (keeps := stateful_sets.keeps_pods(workload)):
        raise Failure(f"Refusing to change the image of {server.workload_title(pool)}: {keeps}.")


def _refuse_other_container(cluster: Api, server: Server, pool: str, workload: Object, image_ref: str) -> None:
    """Raise Failure when another container than the one that was found for the server has this image.

    A Service may lead to a proxy before the server, which must not get the server's image.
    """
    if server.container:
        return
    containers = {str(one.get("name")): one for one in items(workload, "spec", "template", "spec", "containers")}
    own = server.container_in(cluster, workload, pool)
    has = {name: same_name(image_ref, str(one.get("image") or "")) for name, one in containers.items()}
    if has[own] or not any(has.values()):
        return
    others = " and ".join(name for name, it_has in has.items() if it_has)
    raise Failure(
        f"Refusing to give container {own} of {server.workload_title(pool)} the image {image_ref}: Service "
        f"{server.service(pool)} leads to {own}, but {others} has this image now. Set container (mcp_container) to the "
        "one that is the MCP server."
    )


def write(
    cluster: Api,
    server: Server,
    pool: str,
    before: dict[str, t.Any],
    after: dict[str, t.Any],
    run: str | None,
    *,
    dry_run: bool = False,
    container: str = "",  # whose image changes
) -> Object:
    """Patch what differs of image_ref and replicas; return the workload. Raises LeaseLost and Failure."""
    path = server.workload_path(pool)
    workload = cluster.get(path) if run else None

    def attempt() -> Object:
        if workload is None or not run:
            return cluster.patch(path, patch(container, before, after), "strategic", dry_run=dry_run)
        fence.check(cluster, server, run, dry_run=dry_run)
        return cluster.patch(path, fenced(workload, container, before, after, run), "json", dry_run=dry_run)

    def again(_conflict: Conflict) -> None:
        nonlocal workload
        found = cluster.get(path)  # waits until the API server is back
        workload = found if run else None

    return on_conflict(attempt, cluster.patience, again)
