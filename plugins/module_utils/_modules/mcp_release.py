# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release record's two ends: the module mcp_release."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.gitops import OPTION
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._registry import Image
from ansible_collections.mcp.server.plugins.module_utils._release import (
    failed_versions,
    lease_renewal,
    pools,
    record,
    runner,
)
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import gitops
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **OPTION,
        **lease_renewal.OPTION,
        "state": {
            "type": "str",
            "choices": ["begun", "updated", "paused", "ended", "lease_returned"],
            "required": True,
        },
        "take_over": {"type": "bool", "default": False},
        "image_ref": {"type": "str"},
        "digest": {"type": "str", "default": ""},
        "version": _versions.OPTION,
        "force_version": failed_versions.OPTION,
        "contract": {
            "type": "dict",
            "options": {
                "structure_hash": {"type": "str", "required": True},
                "text_hash": {"type": "str", "required": True},
                "accepted": {"type": "list", "elements": "str", "default": []},
            },
        },
        "outcome": {"type": "str", "choices": [record.SUCCEEDED, record.FAILED, record.ROLLED_BACK]},
        "judged": {"type": "bool", "default": True},
        "by": {"type": "str"},
        "reason": {"type": "str", "default": ""},
        "return_lease": {"type": "bool", "default": True},
        "paused_until": {"type": "str"},
    },
    required_if=[
        ("state", "begun", ("image_ref", "version")),
        ("state", "updated", ("contract",)),
        ("state", "paused", ("reason", "run_id")),
        ("state", "ended", ("outcome",)),
        ("state", "lease_returned", ("run_id",)),
    ],
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["state"] not in ("begun", "lease_returned"):
        return lease_renewal.with_lease(_run)(task)
    if params["state"] == "begun":
        _versions.text_of(params)
    lease = leases.Lease(connection.connect(params), params["namespace"], params["server"])
    if params["state"] == "lease_returned":
        if not task.check_mode:
            _give_back_sizes(task, connection.connect(params), Server.from_params(params))
            _give_back(task, lease, params["run_id"])
        return {"changed": False}
    run = _begin(task, lease)
    try:
        result = lease_renewal.with_lease(_run)(replace(task, params={**params, "run_id": run}))
    except connection.Unreachable:
        raise  # it lets go by itself, and asking for that would only wait again
    except Failure:
        _give_back(task, lease, run)
        raise
    if result["already_live"]:
        _give_back(task, lease, run)
    return result | {"run_id": run}


def _begin(task: Task, lease: leases.Lease) -> str:
    """The id of a run that may release. Raises Failure when another one does."""
    params = task.params
    if params["take_over"] and not params["reason"]:
        raise Failure("take_over needs a reason: whoever is taken over from reads it in the release record.")
    if params["take_over"]:  # nobody is taken over from for what is refused afterwards
        _refuse_bad(params, record.read(connection.connect(params), Server.from_params(params))[0])
    run, by = leases.new_run_id(), params["by"] or runner.runner_name()
    before = lease.acquire(
        run,
        by,
        leases.this_process(task.runner),
        take_over=params["take_over"],
        dry_run=task.check_mode,
        progress=task.progress,
    )
    if before is not None:
        task.progress(f"took over from {before.by}, who began at {before.acquired:%H:%M:%S} UTC and did not end")
    return run


def _give_back(task: Task, lease: leases.Lease, run: str) -> None:
    """It lets go by itself soon: what ended well must not fail, and so be rolled back, for want of it."""
    try:
        lease.release(run)
    except Failure as failure:
        task.warn(f"The Lease was not given back, and lasts for {leases.SECONDS} s more. {failure.msg}")


def _give_back_sizes(task: Task, cluster: Api, server: Server) -> None:
    """What this run raised; another run that took over gives it back itself."""
    try:
        holder, _version = leases.Lease(cluster, server.namespace, server.name).read()
        if holder is None or holder.run == task.params["run_id"]:
            autoscaling.give_back(cluster, server, task.warn, task.params["run_id"] if holder else None)
    except Failure as failure:
        task.warn(f"A HorizontalPodAutoscaler keeps its raised minReplicas until the next release ends. {failure.msg}")


def look(cluster: Api, server: Server) -> tuple[record.ReleaseRecord, Weights, str]:
    """Return the record, the route's weights, and the live pool: during a release, the one that had the traffic before it. Raises Failure."""
    book, _version = record.read(cluster, server)
    kind = kind_of(server)
    weights = kind.weights(kind.read(cluster, server), server)
    live = pools.stable(weights, book.current)
    if live is None:
        raise Failure(
            f"Which pool of {server} is live can't be told: the route gives blue {weights['blue']} % and green {weights['green']} %, "
            "and no release is running; give one pool 100 with mcp_traffic_shift first."
        )
    return book, weights, live


def _run(task: Task) -> dict[str, t.Any]:
    params = task.params
    cluster = connection.connect(params)
    server = Server.from_params(params)
    book, weights, live = look(cluster, server)
    image_ref, replicas = server.image(cluster, live)
    target = {
        "pool": other(live),
        "image_ref": params["image_ref"],
        "digest": params["digest"],
        "version": params["version"],
    }
    result = {
        "changed": False,
        "live": live,
        "idle": other(live),
        "weights": weights,
        "previous_image_ref": image_ref,
        "replicas": replicas,
        "resumed": record.resumes(book.current, target),
        "already_live": pools.already_live(weights, book.current, image_ref, params["image_ref"]),
        "record": book.current,
    }
    if params["state"] == "begun" and result["already_live"]:
        return result
    if params["state"] == "begun":
        _refuse_bad(params, book)
    if params["state"] != "begun" and book.current is None:
        raise Failure(
            f"No release of {server} has begun, so none can be {params['state']}: run mcp_release with state=begun first."
        )
    fencing = {"run": params["run_id"], "dry_run": task.check_mode}
    if params["state"] == "updated":
        before, after = record.update(
            cluster, server, lambda book: record.add_contract(book, params["contract"]), **fencing
        )
    elif params["state"] in ("paused", "ended"):
        before, after = record.update(cluster, server, lambda book: _left(book, params, record.now(cluster)), **fencing)
        if params["return_lease"] and not task.check_mode:
            _give_back_sizes(task, cluster, server)
            if params["run_id"]:
                _give_back(task, leases.Lease(cluster, server.namespace, server.name), params["run_id"])
    else:
        gitops.check(cluster, server, params["gitops_ignores"])
        fresh = record.new_release(
            server,
            by=params["by"] or runner.runner_name(),
            reason=params["reason"],
            at=record.now(cluster),
            origin=_origin(cluster, server, live, image_ref, weights, replicas),
            target=target,
        )
        before, after = record.update(cluster, server, lambda book: record.begin(book, fresh), **fencing)
    return result | {
        "changed": after != before,
        "record": after.current,
        "diff": {"before": before.current or {}, "after": after.current},
    }


def _refuse_bad(params: dict[str, t.Any], book: record.ReleaseRecord) -> None:
    if found := failed_versions.refusal(book, params["version"], params["force_version"]):
        raise Failure(f"Release refused, nothing was changed: {found}")


def _left(book: record.ReleaseRecord, params: dict[str, t.Any], now: str) -> record.ReleaseRecord:
    """The record once this run has nothing more to do with its release."""
    if params["state"] == "paused":
        return record.pause(book, now, params["reason"], params["paused_until"])
    return record.end(book, params["outcome"], now, params["reason"], params["judged"])


def _origin(
    cluster: Api, server: Server, pool: str, image_ref: str, weights: Weights, replicas: int
) -> dict[str, t.Any]:
    known = {"digest": server.digest(cluster, pool), "version": Image.parse(image_ref).version}
    return {"pool": pool, "image_ref": image_ref, **known, "weights": weights, "replicas": replicas}
