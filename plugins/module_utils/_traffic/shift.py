# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moving traffic: the module mcp_traffic_shift, its everyday form and the emergency's."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster import connection, record, server
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import httproute, share

SPEC = Spec(
    options={
        **connection.OPTIONS,
        **server.OPTIONS,
        "pool": {"type": "str", "choices": list(server.POOLS)},
        "weight": {"type": "int"},
        "rollback": {"type": "bool", "default": False},
        "reason": {"type": "str", "default": ""},
        "force": {"type": "bool", "default": False},
        "endpoint": endpoints.OPTION,
        "pool_key": {"type": "str", "default": "pool", "no_log": False},
        "tolerance": {"type": "float", "default": 5.0},
        "samples": {"type": "int", "default": 400},
        "timeout": {"type": "float", "default": 30.0},
    },
    required_together=[("pool", "weight")],
    required_if=[("rollback", False, ("pool", "weight"))],
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["weight"] is not None and not 0 <= params["weight"] <= 100:
        raise Failure(f"weight is {params['weight']}: it is a percentage, from 0 to 100.")
    if params["rollback"] and params["pool"]:
        raise Failure("rollback finds the pool by itself: leave out pool and weight, or leave out rollback.")
    public = endpoints.public(params["endpoint"]) if params["endpoint"] else None
    cluster = connection.connect(params)
    target = server.Server.from_params(params)
    route = cluster.get(target.route_path)
    before = httproute.weights(route, target)
    if params["rollback"]:
        return _roll_back(task, cluster, target, route, before, public)
    wanted = {params["pool"]: params["weight"], server.other(params["pool"]): 100 - params["weight"]}
    if not params["force"]:
        for pool in server.POOLS:
            if wanted[pool] > before[pool]:
                _ready_for_traffic(cluster, target, pool)
    result = _shift(task, cluster, target, route, before, wanted, public)
    current, history = record.read(cluster, target)
    if current and current["outcome"] == record.RUNNING and not task.check_mode:
        entry = {"at": record.now(), "weights": wanted, "share": result["share"], "seconds_to_follow": result["seconds_to_follow"]}
        record.write(cluster, target, record.step(current, entry), history)
    return result


def _ready_for_traffic(cluster: t.Any, target: server.Server, pool: str) -> None:
    _image, planned = target.image(cluster, pool)
    ready = target.ready_endpoints(cluster, pool)
    if not ready or ready < planned:
        raise Failure(
            f"Pool {pool} of {target} gets no traffic: Service {target.service(pool)} has {ready} ready endpoints of {planned} planned; "
            "wait for its rollout (mcp_rollout), or see why its pods are not ready.",
            ready=ready,
            planned=planned,
        )


def _shift(
    task: Task,
    cluster: t.Any,
    target: server.Server,
    route: dict[str, t.Any],
    before: httproute.Weights,
    wanted: httproute.Weights,
    public: t.Any,
) -> dict[str, t.Any]:
    operations = httproute.patch(route, target, wanted)
    result: dict[str, t.Any] = {
        "changed": bool(operations),
        "before": before,
        "after": wanted,
        "live": httproute.live(wanted),
        "share": None,
        "seconds_to_follow": None,
        "diff": {"before": {"weights": before}, "after": {"weights": wanted}},
    }
    written, result["written_at"] = time.monotonic(), time.time()
    if operations:
        route = cluster.patch(target.route_path, operations, "json", dry_run=task.check_mode)
    if task.check_mode:
        return result
    bound = Deadline(task.params["timeout"])
    while (reason := httproute.not_accepted(route)) and bound.pause(0.1):
        route = cluster.get(target.route_path)
    if reason:
        raise Failure(f"The weights of {target} are written but not in force: {reason}.", **result)
    if public is None:
        task.warn("The share was not measured: endpoint is not set.")
        return result
    measured = share.follow(
        public,
        task.params["pool_key"],
        wanted,
        samples=task.params["samples"],
        tolerance=task.params["tolerance"],
        written=written,
        bound=bound,
        progress=task.progress,
    )
    result |= {"share": measured, "seconds_to_follow": measured["seconds"]}
    if not measured["reached"]:
        raise Failure(_not_reached(target, wanted, measured, task.params), **result)
    return result


def _not_reached(target: server.Server, wanted: httproute.Weights, measured: dict[str, t.Any], params: dict[str, t.Any]) -> str:
    said = f"; the last failure: {measured['reason']}" if measured["reason"] else ""
    return (
        f"The weights of {target} are written (blue {wanted['blue']} %, green {wanted['green']} %), but {params['endpoint']['url']} gave "
        f"blue {measured['blue']} %, green {measured['green']} % and {measured['failed']} failures in {measured['answers']} answers "
        f"within {params['timeout']:.0f} s{said}: check that the endpoint goes through this route."
    )


def _roll_back(
    task: Task, cluster: t.Any, target: server.Server, route: dict[str, t.Any], before: httproute.Weights, public: t.Any
) -> dict[str, t.Any]:
    """Weights first, from two reads; all that is known of the bad pool can wait."""
    try:
        current, history = record.read(cluster, target)
    except connection.Forbidden as failure:
        current, history = None, []
        task.warn(f"The release record can't be read, so the pool without traffic is taken for the good one. {failure.msg}")
    good = current["from"]["pool"] if current else server.other(httproute.live(before))
    bad = server.other(good)
    wanted = {good: 100, bad: 0}
    if wanted != before and not task.params["force"] and not target.ready_endpoints(cluster, good):
        raise Failure(
            f"No rollback of {target}: pool {good} has no ready endpoint, so it can't answer; "
            f"scale Deployment {target.deployment(good)} up first, or set force to send the traffic there all the same."
        )
    known = current or _unknown_release(cluster, target, good)
    expected = known["from"].get("version", "")
    evidence = {"pool": good, "bad_pool": bad, "version": expected}
    try:
        result = _shift(task, cluster, target, route, before, wanted, public)
    except Failure as failure:
        if not task.check_mode:
            record.write(cluster, target, record.end(known, "rolled_back", record.now()), history)
        raise Failure(failure.msg, **{**failure.evidence, **evidence}) from None
    result |= evidence
    if task.check_mode:
        return result
    ended = {**record.end(known, "rolled_back", record.now()), "reason": task.params["reason"] or known["reason"]}
    if ended != current:
        record.write(cluster, target, ended, history)
    seen = (result["share"] or {}).get("versions", [])
    if expected and seen and [version.removeprefix("v") for version in seen] != [expected.removeprefix("v")]:
        raise Failure(f"{target} is back on pool {good}, but it answers as version {', '.join(seen)}, not {expected}: find out what runs there.", **result)
    return result


def _unknown_release(cluster: t.Any, target: server.Server, good: str) -> record.Record:
    """Written so that a second rollback does not go to and fro."""
    pools = {pool: {"pool": pool, "image": target.image(cluster, pool)[0], "digest": "", "version": ""} for pool in server.POOLS}
    at = record.now()
    return {
        "id": at,
        "started": at,
        "by": record.whoever_runs(),
        "reason": "no release record was found",
        "from": pools[good],
        "to": pools[server.other(good)],
        "steps": [],
        "outcome": record.RUNNING,
        "ended": None,
    }
