# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_release: begin, update, pause and end a release, and return its Lease."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _times, _versions
from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.gitops import OPTION
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._preflight import overlap
from ansible_collections.mcp.server.plugins.module_utils._release import (
    bypassed,
    failed_versions,
    lease_renewal,
    pools,
    record,
    runner,
)
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass, gitops
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
        "digest": {"type": "str"},
        "digest_problem": {"type": "str", "default": ""},
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
        "bypassed": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "bypass_reason": {"type": "str", "default": "", "no_log": False},
        "by": {"type": "str"},
        "reason": {"type": "str", "default": ""},
        "return_lease": {"type": "bool", "default": True},
        "paused_until": {"type": "str"},
    },
    required_if=[
        ("state", "begun", ("image_ref", "version")),
        ("state", "updated", ("contract", "digest"), True),
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
            _restore_min_replicas(task, connection.connect(params), Server.from_params(params))
            _return_lease(task, lease, params["run_id"])
        return {"changed": False}
    run = _begin(task, lease)
    try:
        result = lease_renewal.with_lease(_run)(replace(task, params={**params, "run_id": run}))
    except Unreachable:
        raise  # the Lease expires, and returning it would only wait for the API server again
    except Failure:
        _return_lease(task, lease, run)
        raise
    if result["already_live"]:
        _return_lease(task, lease, run)
    return result | {"run_id": run}


def _begin(task: Task, lease: leases.Lease) -> str:
    """Take the Lease; return the id of the new run. Raises Failure when another run holds it."""
    params = task.params
    if params["take_over"] and not params["reason"]:
        raise Failure(
            "take_over needs a reason: set reason, which the release record shows to whoever is taken over from."
        )
    if params["take_over"]:  # a refused version must not take over from anybody
        cluster, server = connection.connect(params), Server.from_params(params)
        _refuse_bad(params, record.read(cluster, server)[0])
        broken_glass.refuse(cluster, server, "Release", task.warn)
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
        began = _times.time_of_day(before.acquired)
        task.progress(f"took over from {before.by}, who began at {began} and has not finished")
    return run


def _return_lease(task: Task, lease: leases.Lease, run: str) -> None:
    """Return the Lease; only warn when that fails: it expires soon, and a failure would roll back a good release."""
    try:
        lease.release(run)
    except Failure as failure:
        task.warn(f"The Lease was not returned; it expires in {leases.SECONDS} s. {failure.msg}")


def _restore_min_replicas(task: Task, cluster: Api, server: Server) -> None:
    """Restore the minReplicas that this run raised. A run that took over restores them itself."""
    try:
        holder, _version = leases.Lease(cluster, server.namespace, server.name).read()
        if holder is None or holder.run == task.params["run_id"]:
            autoscaling.restore_min_replicas(cluster, server, task.warn, task.params["run_id"] if holder else None)
    except Failure as failure:
        task.warn(f"A HorizontalPodAutoscaler keeps its raised minReplicas until the next release ends. {failure.msg}")


def look(cluster: Api, server: Server) -> tuple[record.ReleaseRecord, Weights, str]:
    """Return the record, the route's weights, and the live pool. Raises Failure.

    During a release the live pool is the one that had the traffic before it.
    """
    recorded, _version = record.read(cluster, server)
    kind = kind_of(server)
    weights = kind.weights(kind.read(cluster, server), server)
    live = pools.stable(weights, recorded.current)
    if live is None:
        raise Failure(
            f"Cannot tell which pool of {server} is live: the route gives blue {weights['blue']} % and green "
            f"{weights['green']} %, and no release is running. First give one pool 100 % with mcp_traffic_shift."
        )
    return recorded, weights, live


def _run(task: Task) -> dict[str, t.Any]:
    params = task.params
    cluster = connection.connect(params)
    server = Server.from_params(params)
    recorded, weights, live = look(cluster, server)
    image_ref, replicas = server.image(cluster, live)
    target: record.Side = {
        "pool": other(live),
        "image_ref": params["image_ref"],
        "digest": params["digest"] or "",
        "version": params["version"],
    }
    result = {
        "changed": False,
        "live": live,
        "idle": other(live),
        "image_ref": params["image_ref"],
        "weights": weights,
        "previous_image_ref": image_ref,
        "replicas": replicas,
        "resumed": record.resumes(recorded.current, target),
        "already_live": pools.already_live(weights, recorded.current, image_ref, params["image_ref"]),
        "record": recorded.current,
    }
    if params["state"] == "begun" and result["already_live"]:
        return result
    if params["state"] == "begun":
        _refuse_bad(params, recorded)
        if result["resumed"] and params["digest_problem"] and recorded.current:
            result["image_ref"] = recorded.current["to"]["image_ref"]
            task.warn(f"{params['digest_problem']} The release goes on with {result['image_ref']}, as it began.")
    if params["state"] != "begun" and recorded.current is None:
        raise Failure(
            f"Cannot set the release of {server} to {params['state']}: none has begun. Run mcp_release with "
            "state=begun first."
        )
    fencing = {"run": params["run_id"], "dry_run": task.check_mode}
    if params["state"] == "updated":
        before, after = record.update(cluster, server, lambda old: _updated(old, params), **fencing)
    elif params["state"] in ("paused", "ended"):
        before, after = record.update(
            cluster, server, lambda old: _without_run(old, params, record.now(cluster)), **fencing
        )
        if params["return_lease"] and not task.check_mode:
            _restore_min_replicas(task, cluster, server)
            if params["run_id"]:
                _return_lease(task, leases.Lease(cluster, server.namespace, server.name), params["run_id"])
    else:
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._redact import redact

        broken_glass.refuse(cluster, server, "Release", task.warn)
        overlap.refuse(cluster, server)
        gitops.check(cluster, server, params["gitops_ignores"])
        fresh = record.new_release(
            server,
            by=params["by"] or runner.runner_name(),
            reason=redact(params["reason"]),
            at=record.now(cluster),
            origin=_origin(cluster, server, live, image_ref, weights, replicas),
            target=target,
        )
        before, after = record.update(cluster, server, lambda old: _begun(old, fresh, params), **fencing)
        if noted := bypassed.of(after.current):
            task.progress(f"bypassed: {noted.what}")
    return result | {
        "changed": after != before,
        "record": after.current,
        "diff": {"before": before.current or {}, "after": after.current},
    }


def _refuse_bad(params: dict[str, t.Any], recorded: record.ReleaseRecord) -> None:
    """Raise Failure for a version that ended badly, and for one of unknown digest that was not released by it."""
    found = failed_versions.refusal(recorded, params["version"], params["force_version"])
    current = recorded.current
    resumed = current and record.resumes(current, {**current["to"], "image_ref": params["image_ref"]})
    if not found and not resumed:
        found = params["digest_problem"]
    if found:
        raise Failure(f"Release refused, nothing was changed: {found}")


def _begun(recorded: record.ReleaseRecord, fresh: record.Release, params: dict[str, t.Any]) -> record.ReleaseRecord:
    """Return the record with this release begun or continued, and with what it bypasses."""
    begun = record.begin(recorded, fresh)
    return replace(begun, current=bypassed.add(begun.newest, params["bypassed"], params["bypass_reason"]))


def _updated(recorded: record.ReleaseRecord, params: dict[str, t.Any]) -> record.ReleaseRecord:
    """Return the record with what is known of the new version now."""
    if params["contract"] is not None:
        recorded = record.add_contract(recorded, params["contract"])
    return record.add_digest(recorded, params["digest"]) if params["digest"] else recorded


def _without_run(recorded: record.ReleaseRecord, params: dict[str, t.Any], now: str) -> record.ReleaseRecord:
    """Return the record of a release that this run pauses or ends."""
    if params["state"] == "paused":
        return record.pause(recorded, now, params["reason"], params["paused_until"])
    return record.end(recorded, params["outcome"], now, params["reason"], params["judged"])


def _origin(cluster: Api, server: Server, pool: str, image_ref: str, weights: Weights, replicas: int) -> record.Side:
    """Return where the release starts from."""
    return {
        "pool": pool,
        "image_ref": image_ref,
        "digest": server.digest(cluster, pool),
        "version": Image.parse(image_ref).version,
        "weights": weights,
        "replicas": replicas,
    }
