# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_rollout: changes what a pool runs, and waits until it runs or can't."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster import keeping
from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Forbidden, Unreachable, connect, pod_path
from ansible_collections.mcp.server.plugins.module_utils._cluster.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._cluster.pods import Object, condition
from ansible_collections.mcp.server.plugins.module_utils._cluster.rollout import REVISION, State, state
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._registry import Image
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import pins

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **keeping.OPTION,
        "pool": {"type": "str", "required": True, "choices": list(POOLS)},
        "image": {"type": "str"},
        "replicas": {"type": "int"},
        "wait_timeout": {"type": "float", "default": 600.0},
        "ready_grace": {"type": "float", "default": 30.0},
    },
    required_one_of=[("image", "replicas")],
)

POLL = 1.0
# Seconds after which a wait shows that it is alive
HEARTBEAT = 10.0


@keeping.kept
def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["image"] is not None:
        Image.parse(params["image"])
    server = Server.from_params(params)
    view = _View(connect(params), server, params["pool"], params["ready_grace"])

    image, replicas = server.image(view.cluster, params["pool"])
    before = {"image": image, "replicas": replicas}
    after = {name: before[name] if params[name] is None else params[name] for name in before}
    result = {"changed": before != after, "deployment": view.name, "previous": before, **after, "diff": {"before": before, "after": after}}
    if result["changed"]:
        if after["replicas"] == 0:
            _let_go(task, view.cluster, server)
        patched = view.cluster.patch(view.path, patch(server.container, before, after), "strategic", dry_run=task.check_mode)
        view.stale = condition(patched, "Progressing")
    if task.check_mode:
        return result
    patience = Deadline(params["wait_timeout"])
    try:
        reached = _wait(view, patience, task.progress)
    except Failure as failure:
        raise Failure(failure.msg, **result, **failure.evidence, seconds=round(patience.elapsed, 3)) from None
    return {**result, "ready": reached.ready, "revision": view.revision, "seconds": round(patience.elapsed, 3)}


def _let_go(task: Task, cluster: t.Any, server: Server) -> None:
    """A route that is not there, or can't be written, keeps no pool from being scaled down."""
    try:
        if pins.let_go(cluster, server, task.params["pool"], dry_run=task.check_mode):
            task.progress(f"sessions of pool {task.params['pool']} go with the weights of {server} now")
    except Failure as failure:
        task.warn(f"Sessions with the mark of pool {task.params['pool']} may get a 503 from the gateway. {failure.msg}")


def patch(container: str, before: dict[str, t.Any], after: dict[str, t.Any]) -> dict[str, t.Any]:
    """A strategic merge patch with what differs. A new image is a new revision, so its cause is noted with it."""
    body: dict[str, t.Any] = {"spec": {}}
    if after["replicas"] != before["replicas"]:
        body["spec"]["replicas"] = after["replicas"]
    if after["image"] != before["image"]:
        body["metadata"] = {"annotations": {"kubernetes.io/change-cause": f"mcp.server.mcp_rollout: {after['image']}"}}
        body["spec"]["template"] = {"spec": {"containers": [{"name": container, "image": after["image"]}]}}
    return body


class _View:
    """A pool's Deployment and what belongs to it, as the cluster shows them now.

    stale: the Progressing condition from before a change of ours.
    """

    def __init__(self, cluster: t.Any, server: Server, pool: str, grace: float) -> None:
        self.cluster = cluster
        self.pool = pool
        self.path = server.deployment_path(pool)
        self.name = f"{server.namespace}/{server.deployment(pool)}"
        self.revision = ""
        self.stale: Object | None = None
        self._namespace = server.namespace
        self._grace = grace
        self._may_read_events = True

    def state(self) -> State:
        deployment = self.cluster.get(self.path)
        self.revision = deployment["metadata"].get("annotations", {}).get(REVISION, "")
        labels = ",".join(f"{key}={value}" for key, value in deployment["spec"]["selector"].get("matchLabels", {}).items())
        replicasets = self.cluster.get(f"/apis/apps/v1/namespaces/{self._namespace}/replicasets", labelSelector=labels)["items"]
        pods = self.cluster.get(pod_path(self._namespace), labelSelector=labels)["items"]
        now = datetime.datetime.now(datetime.UTC)
        return state(deployment, replicasets, pods, self._events(), now, self._grace, self.stale)

    def _events(self) -> list[Object]:
        if not self._may_read_events:
            return []
        try:
            path = f"/api/v1/namespaces/{self._namespace}/events"
            return self.cluster.get(path, fieldSelector="involvedObject.kind=Pod")["items"]
        except Forbidden:
            self._may_read_events = False
            return []


def _wait(view: _View, patience: Deadline, progress: t.Callable[[str], None]) -> State:
    """The state in which the rollout is done. Raises Failure when it can't be, or not in time; that has the state as evidence."""
    evidence: dict[str, t.Any] = {}
    said, said_at = "", 0.0
    complaints: t.Sequence[str] = ()
    while True:
        try:
            now = view.state()
        except Unreachable as failure:
            # An API server that restarts does not end a wait of minutes
            line = failure.msg.rstrip(".")
        else:
            line, complaints = f"{view.pool}: {now}", now.complaints
            evidence = {"ready": now.ready, "reason": now.reason, "complaints": list(now.complaints)}
            if now.done:
                return now
            if now.failed:
                raise Failure(f"Deployment {view.name} will not become ready: {now.failed}.", **evidence)
        if line != said or patience.elapsed - said_at >= HEARTBEAT:
            progress(f"{line}, {_clock(patience.elapsed)} of {_clock(patience.seconds)}")
            said, said_at = line, patience.elapsed
        if not patience.pause(POLL):
            why = f" ({'; '.join(complaints)})" if complaints else ""
            raise Failure(
                f"Deployment {view.name} is not complete after {patience.seconds:g} s: {line}{why}; see its events, or raise wait_timeout.",
                **evidence,
            )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
