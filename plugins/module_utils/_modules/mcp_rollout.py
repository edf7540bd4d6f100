# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_rollout: changes what a pool runs, and waits until it runs or can't."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Conflict, Forbidden, NotFound, connect, pod_path
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._registry import Image
from ansible_collections.mcp.server.plugins.module_utils._release import fence, lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Lost, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import affinity
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling, convergence, disruption_budgets
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import Object, condition
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import REVISION, State, state

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
    },
    required_one_of=[("image_ref", "replicas")],
)

POLL = 1.0
CAUSE = "kubernetes.io/change-cause"
# Seconds after which a wait shows that it is alive
HEARTBEAT = 10.0


@lease_renewal.kept
def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["image_ref"] is not None:
        Image.parse(params["image_ref"])
    server, pool = Server.from_params(params), params["pool"]
    cluster = connect(params)
    result, stale = change(task, cluster, server, pool, image_ref=params["image_ref"], replicas=params["replicas"])
    if task.check_mode:
        return result
    view = View(cluster, server, pool, params["ready_grace"], stale, _as_asked(task, cluster, server, pool, result))
    patience = Deadline(params["wait_timeout"])
    try:
        reached = wait(view, patience, task.progress)
    except Lost:
        raise
    except Failure as failure:
        raise Failure(failure.msg, **result, **failure.evidence, seconds=round(patience.elapsed, 3)) from None
    seconds = round(patience.elapsed, 3)
    if result["replicas"] < result["previous"]["replicas"]:
        _refuse_if_it_has_traffic_again(cluster, server, pool, result, params["run_id"])  # its pods took a while to leave
    if result["changed"]:
        _record_seconds(task, cluster, server, lambda book: record.add_rollout(book, pool, result["image_ref"], seconds))
    if reached.wanted and outage.current().ago < convergence.TRIES:
        convergence.endpoints(task, cluster, server, pool, reached.ready)
        convergence.gateway(task, pool)
    return {**result, "ready": reached.ready, "revision": view.revision, "seconds": seconds}


def change(
    task: Task, cluster: t.Any, server: Server, pool: str, *, image_ref: str | None = None, replicas: int | None = None, run: str | None = None
) -> tuple[dict[str, t.Any], Object | None]:
    """Changes what differs, and waits for nothing: the result so far, and the Progressing condition from before.

    Where an autoscaler works on the pool, its least size is raised, and it does what is left: going down.
    run: where it is not the one in the option C(run_id). Raises Lost when it was taken over.
    """
    run = run or task.params["run_id"]
    has_image_ref, has_replicas = server.image(cluster, pool)
    before: dict[str, t.Any] = {"image_ref": has_image_ref, "replicas": has_replicas}
    after = {"image_ref": before["image_ref"] if image_ref is None else image_ref, "replicas": before["replicas"] if replicas is None else replicas}
    scaler = autoscaling.find(cluster, server, task.warn).get(pool) if replicas is not None else None
    if scaler and replicas is not None:
        after["replicas"] = scaler.size(has_replicas, replicas)
        if 0 < replicas != after["replicas"]:
            task.progress(f"HorizontalPodAutoscaler {scaler.name} decides the size of pool {pool}: {after['replicas']} pods, {replicas} were asked for")
    if after["replicas"] < has_replicas:
        _keep_budget(task, cluster, server, pool, has_replicas, after["replicas"])
    shrinks = after["replicas"] < has_replicas and not task.check_mode
    if shrinks and (weight := _weight(cluster, server, pool)):
        raise Failure(
            f"Refusing to scale pool {pool} of {server} from {has_replicas} to {after['replicas']} pods: the route gives it {weight} % of the traffic. "
            "Shift the traffic away first."
        )

    raised = bool(scaler) and autoscaling.set_least(cluster, server, scaler, replicas or 0, run, dry_run=task.check_mode, warn=task.warn)
    result = {
        "changed": before != after or raised,
        "deployment": f"{server.namespace}/{server.deployment(pool)}",
        "previous": before,
        **after,
        "autoscaler": {"name": scaler.name, "min_replicas": scaler.raised(replicas or 0), "original_min_replicas": scaler.own} if scaler else None,
        "diff": {"before": before, "after": after},
    }
    if raised:
        least = (scaler.least, scaler.raised(replicas or 0))
        result["diff"] = {"before": {**before, "min_replicas": least[0]}, "after": {**after, "min_replicas": least[1]}}
        task.progress(f"HorizontalPodAutoscaler {scaler.name}: minReplicas {least[0]} -> {least[1]}")
    if before == after:
        return result, None
    if after["replicas"] == 0 < has_replicas:
        _let_go(task, cluster, server, pool, run)
    patched = _patched(cluster, server, pool, before, after, run, task.check_mode)
    if shrinks:
        _refuse_if_it_has_traffic_again(cluster, server, pool, result, run)
    return result, condition(patched, "Progressing")


def _as_asked(task: Task, cluster: t.Any, server: Server, pool: str, result: dict[str, t.Any]) -> t.Callable[[Object], None]:
    """Return what raises Overwritten for a Deployment in which somebody else put back what was asked for, and Lost when a run did."""
    # lazy: an emergency uses other parts of this file
    from ansible_collections.mcp.server.plugins.module_utils._traffic import overwrite_monitor
    from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Expected

    params = task.params
    images = {} if params["image_ref"] is None else {pool: result["image_ref"]}
    # With an autoscaler the size is for that to choose.
    sizes = {} if params["replicas"] is None or result["autoscaler"] else {pool: result["replicas"]}
    runs = frozenset({params["run_id"]} if params["run_id"] else ())
    return lambda deployment: overwrite_monitor.refuse(cluster, server, pool, deployment, Expected(images=images, sizes=sizes, runs=runs, pool=pool))


def _refuse_if_it_has_traffic_again(cluster: t.Any, server: Server, pool: str, result: dict[str, t.Any], run: str | None) -> None:
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


def _weight(cluster: t.Any, server: Server, pool: str) -> int:
    """Return the percent of the traffic that the route gives the pool; 0 where there is no route. Raises Failure when that can't be read."""
    # Only here: the kinds of routes are not needed otherwise.
    from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

    kind = kind_of(server)
    try:
        return kind.weights(kind.read(cluster, server), server)[pool]
    except NotFound:
        return 0


def _keep_budget(task: Task, cluster: t.Any, server: Server, pool: str, now: int, wanted: int) -> None:
    """Raises Failure when a pool that has traffic would go below what its PodDisruptionBudget asks for."""
    # Of no pods no budget asks for any: the end of a pool is judged by the size that it has.
    least, budget = disruption_budgets.asked_of(cluster, server, pool, wanted or now, task.warn)
    if wanted >= least:
        return
    weight = _weight(cluster, server, pool)
    if weight:
        raise Failure(
            f"Pool {pool} of {server} is not scaled from {now} to {wanted} pods: it has {weight} % of the traffic, and PodDisruptionBudget {budget} "
            f"asks for {least}; shift the traffic away first, or ask for more pods."
        )


def _record_seconds(task: Task, cluster: t.Any, server: Server, change: record.Change) -> None:
    """The pool is as it was asked for: what becomes of the note can't change that."""
    try:
        record.update(cluster, server, change, run=task.params["run_id"])
    except Lost:
        raise
    except Failure as failure:
        task.warn(f"How long the rollout took was not recorded. {failure.msg}")


def _let_go(task: Task, cluster: t.Any, server: Server, pool: str, run: str | None) -> None:
    """A route that is not there, or can't be written, keeps no pool from being scaled down."""
    try:
        if affinity.let_go(cluster, server, pool, run, dry_run=task.check_mode):
            task.progress(f"sessions of pool {pool} go with the weights of {server} now")
    except Lost:
        raise
    except Failure as failure:
        task.warn(f"Sessions with the mark of pool {pool} may get a 503 from the gateway. {failure.msg}")


def patch(container: str, before: dict[str, t.Any], after: dict[str, t.Any]) -> dict[str, t.Any]:
    """A strategic merge patch with what differs. A new image is a new revision, so its cause is noted with it."""
    body: dict[str, t.Any] = {"spec": {}}
    if after["replicas"] != before["replicas"]:
        body["spec"]["replicas"] = after["replicas"]
    if after["image_ref"] != before["image_ref"]:
        body["metadata"] = {"annotations": _cause(after["image_ref"])}
        body["spec"]["template"] = {"spec": {"containers": [{"name": container, "image": after["image_ref"]}]}}
    return body


def fenced(deployment: Object, container: str, before: dict[str, t.Any], after: dict[str, t.Any], run: str) -> list[fence.Operation]:
    """Return the same as a JSON patch of this run, for the Deployment as it was read (fence.py)."""
    operations = fence.stamp(deployment, run, _cause(after["image_ref"]) if after["image_ref"] != before["image_ref"] else None)
    if after["replicas"] != before["replicas"]:
        operations.append({"op": "add", "path": "/spec/replicas", "value": after["replicas"]})
    if after["image_ref"] != before["image_ref"]:
        names = [one["name"] for one in deployment["spec"]["template"]["spec"]["containers"]]
        place = f"/spec/template/spec/containers/{names.index(container)}"
        operations.append({"op": "test", "path": f"{place}/name", "value": container})
        operations.append({"op": "replace", "path": f"{place}/image", "value": after["image_ref"]})
    return operations


def _cause(image_ref: str) -> dict[str, str]:
    return {CAUSE: f"mcp.server.mcp_rollout: {image_ref}"}


def _patched(
    cluster: t.Any,
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


class View:
    """A pool's Deployment and what belongs to it, as the cluster shows them now.

    stale: the Progressing condition from before a change of ours. refuse: raises Failure for a Deployment that is not to be waited for.
    """

    def __init__(
        self,
        cluster: t.Any,
        server: Server,
        pool: str,
        grace: float,
        stale: Object | None = None,
        refuse: t.Callable[[Object], None] = lambda _deployment: None,
    ) -> None:
        self.cluster = cluster
        self.pool = pool
        self.path = server.deployment_path(pool)
        self.name = f"{server.namespace}/{server.deployment(pool)}"
        self.revision = ""
        self.stale = stale
        self._refuse = refuse
        self._namespace = server.namespace
        self._grace = grace
        self._may_read_events = True

    def state(self) -> State:
        deployment = self.cluster.get(self.path)
        self._refuse(deployment)
        self.revision = deployment["metadata"].get("annotations", {}).get(REVISION, "")
        labels = ",".join(f"{key}={value}" for key, value in deployment["spec"]["selector"].get("matchLabels", {}).items())
        replicasets = self.cluster.get(f"/apis/apps/v1/namespaces/{self._namespace}/replicasets", labelSelector=labels)["items"]
        pods = self.cluster.get(pod_path(self._namespace), labelSelector=labels)["items"]
        return state(deployment, replicasets, pods, self._events(), self.cluster.now(), self._grace, self.stale)

    def _events(self) -> list[Object]:
        if not self._may_read_events:
            return []
        try:
            path = f"/api/v1/namespaces/{self._namespace}/events"
            return self.cluster.get(path, fieldSelector="involvedObject.kind=Pod")["items"]
        except Forbidden:
            self._may_read_events = False
            return []


def wait(view: View, patience: Deadline, progress: t.Callable[[str], None], enough: int | None = None) -> State:
    """The state in which the rollout is done. Raises Failure when it can't be, or not in time; that has the state as evidence.

    enough: so many ready pods will do, and fewer when no more can come; an emergency waits for them, so it looks more often.
    """
    evidence: dict[str, t.Any] = {}
    said, said_at = "", 0.0
    problems: t.Sequence[str] = ()
    while True:
        now = view.state()
        line, problems = f"{view.pool}: {now}", now.problems
        evidence = {"ready": now.ready, "reason": now.reason, "problems": list(now.problems)}
        if now.done or (enough is not None and (now.ready >= enough or (now.ready and now.failed))):
            return now
        if now.failed:
            raise Failure(f"Deployment {view.name} will not become ready: {now.failed}.", **evidence)
        if line != said or patience.elapsed - said_at >= HEARTBEAT:
            progress(f"{line}, {_clock(patience.elapsed)} of {_clock(patience.seconds)}")
            said, said_at = line, patience.elapsed
        if not patience.pause(POLL if enough is None else POLL / 2):
            if enough is not None and evidence.get("ready"):
                return now
            why = f" ({'; '.join(problems)})" if problems else ""
            raise Failure(
                f"Deployment {view.name} is not complete after {patience.seconds:g} s: {line}{why}; see its events, or raise wait_timeout.",
                **evidence,
            )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
