# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollback to a version or revision that is named: where it goes, and what is recorded of it. The module mcp_rollback_target.

It prepares: once the pool runs what is wanted and the record says so, the
emergency's one call (emergency.py) brings the traffic there. What is done is read
from the cluster each time, so that a run that was killed can be run again.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_rollout_info
from ansible_collections.mcp.server.plugins.module_utils._registry import Image, tagged
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, lease_renewal, record, runner
from ansible_collections.mcp.server.plugins.module_utils._release import pools as pools_by_weight
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import emergency_lease
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift
from ansible_collections.mcp.server.plugins.module_utils._workload import revisions

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "state": {"type": "str", "choices": ["begun", "checked", "failed"], "default": "begun"},
        "version": _versions.OPTION,
        "force_version": failed_versions.OPTION,
        "image": {"type": "str"},
        "image_ref": {"type": "str"},
        "revision": {"type": "int"},
        "pool": {"type": "str", "choices": list(POOLS)},
        "reason": {"type": "str", "default": ""},
        "endpoint": endpoints.OPTION,
        "port": {"type": "int", "default": 8080},
        "auth": auth.OPTION,
    },
    mutually_exclusive=[("version", "revision")],
    required_by={"version": ["image"]},
    required_if=[
        ("state", "begun", ("version", "revision"), True),
        ("state", "checked", ("pool", "image_ref")),
        ("state", "failed", ("pool", "image_ref")),
    ],
)


ROUNDS = 20  # lists in one session that what is live already has to answer


@dataclass(frozen=True)
class Pool:
    """What a pool's Deployment has. complete: whether exactly that is ready."""

    image_ref: str
    replicas: int
    complete: bool


@dataclass(frozen=True)
class RollbackTarget:
    """pool: that gets all traffic. needed: whether anything is to be done. clear_first: both pools have traffic, and none has the image: first
    all goes to the stable one. deploy: whether the pool must get the image or more pods. replicas: that it shall have then."""

    pool: str
    needed: bool = True
    clear_first: bool = False
    deploy: bool = False
    replicas: int = 0


def decide(
    weights: Weights, release: record.Release | None, pools: dict[str, Pool], image_ref: str
) -> RollbackTarget | None:
    """Where the image gets the traffic; None when that can't be told. Never another image for a pool that has traffic."""
    whole = pools_by_weight.whole(weights)
    if whole and pools[whole].image_ref == image_ref:
        # A release that went there is nothing to undo; a rollback that went there may have an end that was cut off.
        settled = release is None or (release["to"]["pool"] == whole and release["outcome"] != record.ROLLED_BACK)
        return RollbackTarget(whole, needed=not settled, replicas=pools[whole].replicas)
    stable = pools_by_weight.stable(weights, release)
    having = [pool for pool in POOLS if pools[pool].image_ref == image_ref]
    if having:
        target, clear_first = stable if stable in having else having[0], False
    elif whole or stable:
        target, clear_first = other(whole or stable), whole is None
    else:
        return None
    before = release["from"].get("replicas") or 0 if release and release["from"]["pool"] == target else 0
    replicas = max(before, *(pool.replicas for pool in pools.values()), 1)
    has = pools[target]
    return RollbackTarget(
        target,
        clear_first=clear_first,
        deploy=has.image_ref != image_ref or not has.complete or has.replicas < replicas,
        replicas=replicas,
    )


def prepare(release_record: record.ReleaseRecord, fresh: record.Release) -> record.ReleaseRecord:
    """The record once the pool is ready for the traffic: what is good is what C(fresh) comes from, what is bad is what it goes to.

    A release that ended, or was cut off, and came from the same is the one that is rolled back; it stays.
    """
    current = release_record.current
    if current is None:
        return record.ReleaseRecord(fresh)
    if all(current["from"].get(key) == fresh["from"][key] for key in ("pool", "image_ref")):
        return release_record
    if record.is_running(current):
        current = {**current, "outcome": record.ROLLED_BACK, "ended": fresh["started"]}
    return record.ReleaseRecord(fresh, (current, *release_record.history)[: record.KEPT])


def give_up(release_record: record.ReleaseRecord, failed: record.Release) -> record.ReleaseRecord:
    """A rollback that did not get to the traffic is history; what an emergency returns to stays."""
    return record.ReleaseRecord(release_record.current, (failed, *release_record.history)[: record.KEPT])


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    if params["version"] is not None:
        tagged(params["image"], _versions.text_of(params))
    return lease_renewal.with_lease(_begin if params["state"] == "begun" else _record)(task)


def _begin(task: Task) -> dict[str, t.Any]:
    params = task.params
    shift = Shift(task, connection.connect(params), Server.from_params(params), None)
    cluster, server = shift.cluster, shift.server
    weights = shift.read()
    release_record, _version = record.read(cluster, server)
    image_ref = (
        _versions.reference(params["image"], params["version"])
        if params["version"] is not None
        else _of_revision(task, shift, weights, release_record)
    )
    version = Image.parse(image_ref).version
    if found := failed_versions.refusal(release_record, params["version"] or version, params["force_version"]):
        raise Failure(f"No rollback of {server}, nothing was changed: {found}")
    pools = {pool: _pool(cluster, server, pool) for pool in POOLS}
    pin = decide(weights, release_record.current, pools, image_ref)
    if pin is None:
        raise Failure(
            f"No rollback of {server}: no release is recorded and no pool has most of the traffic; give one pool 100 with mcp_traffic_shift first."
        )
    if not pin.needed and (why := _why_unhealthy(task, pin)):
        raise Failure(_refusal_to_stay(server, pin, pools, image_ref, why, release_record))
    run_id = params["run_id"] or ""
    if pin.needed and not run_id and not task.check_mode:
        run_id = emergency_lease.take_over(shift)
    task.progress(_summary(server, pin, pools, image_ref))
    return {
        "changed": False,
        "needed": pin.needed,
        "pool": pin.pool,
        "bad_pool": other(pin.pool),
        "image_ref": image_ref,
        "version": version,
        "clear_first": pin.clear_first,
        "deploy": pin.deploy,
        "replicas": pin.replicas,
        "weights": weights,
        "run_id": run_id,
    }


def _why_unhealthy(task: Task, pin: RollbackTarget) -> str:
    """Return why what is live does not answer well, a sentence; empty when it does. Asked where clients ask, or else in its pods."""
    # Only here: a rollback that moves traffic does not wait for it.
    from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health

    params = task.params
    ours = {name: params.get(name, option.get("default")) for name, option in mcp_health.SPEC.options.items()}
    rounds = None if (params["auth"] or {}).get("expect_401") else {"rounds": ROUNDS}
    where = None if params["endpoint"] else pin.pool
    asked = {**ours, "run_id": None, "pool": where, "health": [], "lists": [], "stability": rounds}
    try:
        mcp_health.run(replace(task, params=asked))
    except Failure as failure:
        return failure.msg
    return ""


def _refusal_to_stay(
    server: Server,
    pin: RollbackTarget,
    pools: dict[str, Pool],
    image_ref: str,
    why: str,
    release_record: record.ReleaseRecord,
) -> str:
    """Say that a rollback to what is live already would help nobody, and what would."""
    pool = other(pin.pool)
    version = Image.parse(pools[pool].image_ref).version
    bad = (
        ", which the release record says to be bad as well" if failed_versions.bad_end(release_record, version) else ""
    )
    return (
        f"{image_ref} is live on pool {pin.pool} of {server} already, and does not answer well: {why} Nothing was changed. "
        f"Pool {pool} has {version}{bad}: rollback.yml -e mcp_rollback_version={version} goes there."
    )


def _of_revision(task: Task, shift: Shift, weights: Weights, release_record: record.ReleaseRecord) -> str:
    """The image of our container in a revision of the pool that the traffic is to return to."""
    cluster, server = shift.cluster, shift.server
    target, live = pools_by_weight.rollback_target(release_record.current, shift.stable), pools_by_weight.live(weights)
    pool = target.pool if target else other(live) if live else None
    if pool is None:
        raise Failure(
            f"No rollback of {server}: no release is recorded and no pool has most of the traffic; give one pool 100 with mcp_traffic_shift first."
        )
    known = mcp_rollout_info.revisions(cluster, server, pool)
    name = f"Deployment {server.namespace}/{server.deployment(pool)}"
    found = revisions.find(known, task.params["revision"])
    if found is None or found["image_ref"] is None:
        listed = ", ".join(f"{one['revision']} ({one['image_ref']})" for one in known if one["image_ref"]) or "none"
        raise Failure(
            f"{name} has no revision {task.params['revision']} with a container {server.container}; there are {listed}."
        )
    task.progress(
        f"revision {task.params['revision']} of {name}: {found['image_ref']}; only the image of container {server.container} is taken from it"
    )
    return found["image_ref"]


def _pool(cluster: Api, server: Server, pool: str) -> Pool:
    image_ref, replicas = server.image(cluster, pool)
    deployment = cluster.get(server.deployment_path(pool))
    status = deployment.get("status") or {}
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return Pool(image_ref, replicas, seen and counts == {replicas})


def _summary(server: Server, pin: RollbackTarget, pools: dict[str, Pool], image_ref: str) -> str:
    if not pin.needed:
        return f"{image_ref} is live on pool {pin.pool} of {server} and answers well: nothing is to be done"
    first = f"all traffic goes to {other(pin.pool)} first, then " if pin.clear_first else ""
    how = f"{pin.replicas} pods of {image_ref} are made ready there" if pin.deploy else f"it runs {image_ref}"
    return f"{first}the traffic of {server} goes to pool {pin.pool}: {how}" + (
        f" instead of {pools[pin.pool].image_ref}" if pools[pin.pool].image_ref != image_ref else ""
    )


def _record(task: Task) -> dict[str, t.Any]:
    params = task.params
    cluster, server = connection.connect(params), Server.from_params(params)
    pool = params["pool"]
    image_ref, replicas = server.image(cluster, other(pool))
    at = record.now(cluster)
    good = {
        "pool": pool,
        "image_ref": params["image_ref"],
        "digest": server.digest(cluster, pool),
        "version": Image.parse(params["image_ref"]).version,
    }
    bad = {
        "pool": other(pool),
        "image_ref": image_ref,
        "digest": server.digest(cluster, other(pool)),
        "version": Image.parse(image_ref).version,
    }
    if params["state"] == "failed":
        note, origin, target, outcome = give_up, {**bad, "replicas": replicas}, good, record.FAILED
    else:
        note, origin, target, outcome = (
            prepare,
            {**good, "replicas": server.image(cluster, pool)[1]},
            bad,
            record.ROLLED_BACK,
        )
    entry = record.new_release(
        server, by=runner.runner_name(), reason=params["reason"], at=at, origin=origin, target=target
    )
    entry |= {"outcome": outcome, "ended": at} | ({"judged": False} if params["state"] == "failed" else {})
    before, after = record.update(
        cluster, server, lambda release_record: note(release_record, entry), dry_run=task.check_mode
    )
    return {
        "changed": before != after,
        "record": after.current,
        "diff": {"before": before.current or {}, "after": after.current or {}},
    }
