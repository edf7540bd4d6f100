# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_rollback_target: choose the pool for a named version or revision, and record the rollback to it.

It only prepares: once the pool runs the image and the record says so, the emergency's one call (emergency.py) shifts
the traffic there. Progress is read from the cluster each time, so that a run that was killed can be run again.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._image import (
    Image,
    by_tag,
    gone_sentence,
    same_version,
    tagged,
    with_digest,
)
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint as endpoints
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import STATEFUL_SET
from ansible_collections.mcp.server.plugins.module_utils._registry import registry as registries
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, lease_renewal, record, runner
from ansible_collections.mcp.server.plugins.module_utils._release import pools as pools_by_weight
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import emergency_lease
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import Shift
from ansible_collections.mcp.server.plugins.module_utils._workload import history, revisions
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import is_behind

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        **registries.OPTIONS,
        "state": {"type": "str", "choices": ["begun", "checked", "failed"], "default": "begun"},
        "version": _versions.OPTION,
        "force_version": failed_versions.OPTION,
        "image": {"type": "str"},
        "deploy_digest": {"type": "bool", "default": True},
        "image_ref": {"type": "str"},
        "revision": {"type": "int"},
        "pool": {"type": "str", "choices": list(POOLS)},
        "reason": {"type": "str", "default": ""},
        "endpoint": endpoints.OPTION,
        "auth": auth.OPTION,
    },
    mutually_exclusive=[("version", "revision")],
    required_together=[("registry_username", "registry_password")],
    required_by={"version": ["image"]},
    required_if=[
        ("state", "begun", ("version", "revision"), True),
        ("state", "checked", ("pool", "image_ref")),
        ("state", "failed", ("pool", "image_ref")),
    ],
)


ROUNDS = 20  # lists in one session that the live pool has to answer


@dataclass(frozen=True)
class Pool:
    """The state of a pool's workload."""

    image_ref: str
    replicas: int
    complete: bool  # whether exactly these replicas of this image are available


@dataclass(frozen=True)
class RollbackTarget:
    """Where a rollback to a named image goes."""

    pool: str  # gets all traffic
    needed: bool = True  # False when it has all traffic and the image already
    clear_first: bool = (
        False  # whether the traffic goes to the stable pool first: both pools have some, and none the image
    )
    deploy: bool = False  # whether the pool needs the image or more pods
    replicas: int = 0  # the pods that it gets then


def decide(
    weights: Weights, release: record.Release | None, pools: dict[str, Pool], image_ref: str
) -> RollbackTarget | None:
    """Return where the image gets the traffic, None when no pool can be chosen. A pool with traffic keeps its image.

    Pure.
    """
    whole = pools_by_weight.whole(weights)
    if whole and same_version(pools[whole].image_ref, image_ref):
        # After a release to it nothing is left to do; a rollback to it may have been cut off before its end.
        finished = release is None or (release["to"]["pool"] == whole and release["outcome"] != record.ROLLED_BACK)
        return RollbackTarget(whole, needed=not finished, replicas=pools[whole].replicas)
    stable = pools_by_weight.stable(weights, release)
    having = [pool for pool in POOLS if same_version(pools[pool].image_ref, image_ref)]
    if having:
        target, clear_first = stable if stable in having else having[0], False
    elif serving := whole or stable:
        target, clear_first = other(serving), whole is None
    else:
        return None
    before = release["from"].get("replicas") or 0 if release and release["from"]["pool"] == target else 0
    replicas = max(before, *(pool.replicas for pool in pools.values()), 1)
    has = pools[target]
    return RollbackTarget(
        target,
        clear_first=clear_first,
        deploy=not same_version(has.image_ref, image_ref) or not has.complete or has.replicas < replicas,
        replicas=replicas,
    )


def known_digest(release_record: record.ReleaseRecord, image_ref: str, *, running: bool) -> str:
    """Return the digest that this image had when it was good last, by the record; empty when that does not tell.

    running: whether what its pods ran counts too, which may be a name that only nodes know it by. Pure.
    """
    for release in (release_record.current, *release_record.history):
        if not record.is_release(release):
            continue
        good = [release["to"]] if release["outcome"] == record.SUCCEEDED else []
        for side in (*good, release["from"]):
            recorded = str(side.get("image_ref") or "")
            known = recorded.partition("@")[2] or (side.get("digest") if running else "")
            if same_version(recorded, image_ref) and _versions.DIGEST.fullmatch(str(known)):
                return str(known)
    return ""


def prepare(release_record: record.ReleaseRecord, fresh: record.Release) -> record.ReleaseRecord:
    """Return the record for a pool that is ready for the traffic, which goes from the target of C(fresh) to its origin.

    A release that came from the same pool and image is the one that is rolled back, and stays the newest. Pure.
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
    """Return the record with a rollback that failed before its shift in the history; an emergency's target stays.

    Pure.
    """
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
        raise Failure(f"Cannot roll back {server}, nothing was changed: {found}")
    pools = {pool: _pool(cluster, server, pool) for pool in POOLS}
    if params["deploy_digest"]:
        digest = known_digest(release_record, image_ref, running=params["check_registry"])
        image_ref = with_digest(image_ref, digest)
    target = decide(weights, release_record.current, pools, image_ref)
    if target is None:
        raise Failure(
            f"Cannot roll back {server}: there is no release record, and neither pool has a majority of the traffic. "
            "Give one pool 100 with mcp_traffic_shift first."
        )
    if not target.needed and (why := _why_unhealthy(task, target)):
        raise Failure(_refusal_to_stay(server, target, pools, image_ref, why, release_record))
    has = pools[target.pool].image_ref
    image_ref = has if same_version(has, image_ref) else _deployable(task, image_ref)
    run_id = params["run_id"] or ""
    if target.needed and not run_id and not task.check_mode:
        run_id = emergency_lease.take_over(shift)
    task.progress(_summary(server, target, pools, image_ref))
    return {
        "changed": False,
        "needed": target.needed,
        "pool": target.pool,
        "bad_pool": other(target.pool),
        "image_ref": image_ref,
        "version": version,
        "clear_first": target.clear_first,
        "deploy": target.deploy,
        "replicas": target.replicas,
        "weights": weights,
        "run_id": run_id,
    }


def _deployable(task: Task, image_ref: str) -> str:
    """Return the image to deploy: by its digest, and by its tag when the registry no longer has that digest.

    A registry that does not tell is a warning: a rollback goes on without.
    """
    params, image = task.params, Image.parse(image_ref)
    if not (params["deploy_digest"] and params["check_registry"]):
        return image_ref
    tagged_image = replace(image, digest="") if image.tag else image
    try:
        registry = registries.registry_for(image, params)
        if image.digest and registry.digest(image):
            return image_ref
        digest = registry.digest(tagged_image)
    except Failure as failure:
        task.warn(f"Rolling back to {image_ref}, which was not looked for in its registry. {failure.msg}")
        return image_ref
    if image.digest and image.tag:
        task.warn(gone_sentence(registry.url, image_ref))
        image_ref = by_tag(image_ref)
    return with_digest(image_ref, digest) if image.tag else image_ref


def _why_unhealthy(task: Task, target: RollbackTarget) -> str:
    """Return why the live pool does not answer well, a sentence, empty when it does.

    Asks the endpoint, or else its pods.
    """
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health

    params = task.params
    options = {name: params.get(name, option.get("default")) for name, option in mcp_health.SPEC.options.items()}
    rounds = None if (params["auth"] or {}).get("expect_401") else {"rounds": ROUNDS}
    where = None if params["endpoint"] else target.pool
    health = {**options, "run_id": None, "pool": where, "lists": [], "stability": rounds}
    health |= {"health_path": None, "health_checks": []}
    try:
        mcp_health.run(replace(task, params=health))
    except Failure as failure:
        return failure.msg
    return ""


def _refusal_to_stay(
    server: Server,
    target: RollbackTarget,
    pools: dict[str, Pool],
    image_ref: str,
    why: str,
    release_record: record.ReleaseRecord,
) -> str:
    """Return the refusal of a rollback to what is live already and unhealthy, with the command that would help."""
    pool = other(target.pool)
    version = Image.parse(pools[pool].image_ref).version
    failed = failed_versions.bad_end(release_record, version)
    bad = ", which failed before according to the release record" if failed else ""
    return (
        f"{image_ref} is live on pool {target.pool} of {server} already, and does not answer well: {why} "
        f"Nothing was changed. Pool {pool} has {version}{bad}. "
        f"To go there: rollback.yml -e mcp_rollback_version={version}."
    )


def _of_revision(task: Task, shift: Shift, weights: Weights, release_record: record.ReleaseRecord) -> str:
    """Return the image of the server's container in the revision of the pool to roll back to. Raises Failure."""
    cluster, server = shift.cluster, shift.server
    stable, live = pools_by_weight.rollback_target(release_record.current, shift.stable), pools_by_weight.live(weights)
    pool = task.params["pool"] or (stable.pool if stable else other(live) if live else None)
    if pool is None:
        raise Failure(
            f"Cannot roll back {server}: there is no release record, and neither pool has a majority of the traffic. "
            "Give one pool 100 with mcp_traffic_shift first."
        )
    known = history.read(cluster, server, pool)
    name = server.workload_title(pool)
    found = revisions.find(known, task.params["revision"])
    if found is None or found["image_ref"] is None:
        listed = ", ".join(f"{one['revision']} ({one['image_ref']})" for one in known if one["image_ref"]) or "none"
        renumbered = ""
        if server.objects(pool).kind == STATEFUL_SET:
            renumbered = " A StatefulSet gives a revision a new number when it returns to it."
        raise Failure(
            f"{name} has no revision {task.params['revision']} with the server's container. "
            f"It has: {listed}.{renumbered}"
        )
    task.progress(
        f"revision {task.params['revision']} of {name}: {found['image_ref']} "
        f"(only the image of the server's container is used)"
    )
    image_ref: str = found["image_ref"]
    return image_ref


def _pool(cluster: Api, server: Server, pool: str) -> Pool:
    image_ref, replicas = server.image(cluster, pool)
    workload = cluster.get(server.workload_path(pool))
    status = mapping(workload, "status")
    counts = {status.get(name) or 0 for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return Pool(image_ref, replicas, not is_behind(workload) and counts == {replicas})


def _summary(server: Server, target: RollbackTarget, pools: dict[str, Pool], image_ref: str) -> str:
    if not target.needed:
        return f"{image_ref} is live on pool {target.pool} of {server} and answers well: nothing to do"
    first = f"all traffic goes to {other(target.pool)} first, then " if target.clear_first else ""
    how = f"once {target.replicas} pods of {image_ref} are ready there" if target.deploy else f"it runs {image_ref}"
    has = pools[target.pool].image_ref
    instead = f" instead of {has}" if has != image_ref else ""
    return f"{first}traffic of {server} goes to pool {target.pool}: {how}{instead}"


def _record(task: Task) -> dict[str, t.Any]:
    params = task.params
    cluster, server = connection.connect(params), Server.from_params(params)
    pool = params["pool"]
    image_ref, replicas = server.image(cluster, other(pool))
    at = record.now(cluster)
    good: record.Side = {
        "pool": pool,
        "image_ref": params["image_ref"],
        "digest": server.digest(cluster, pool),
        "version": Image.parse(params["image_ref"]).version,
    }
    bad: record.Side = {
        "pool": other(pool),
        "image_ref": image_ref,
        "digest": server.digest(cluster, other(pool)),
        "version": Image.parse(image_ref).version,
    }
    by, reason, failed = runner.runner_name(), params["reason"], params["state"] == "failed"
    if failed:
        bad["replicas"] = replicas
        entry = record.new_release(server, by=by, reason=reason, at=at, origin=bad, target=good)
        entry = {**entry, "outcome": record.FAILED, "ended": at, "judged": False}
    else:
        good["replicas"] = server.image(cluster, pool)[1]
        entry = record.new_release(server, by=by, reason=reason, at=at, origin=good, target=bad)
        entry = {**entry, "outcome": record.ROLLED_BACK, "ended": at}

    def note(book: record.ReleaseRecord) -> record.ReleaseRecord:
        return give_up(book, entry) if failed else prepare(book, entry)

    before, after = record.update(cluster, server, note, dry_run=task.check_mode)
    return {
        "changed": before != after,
        "record": after.current,
        "diff": {"before": before.current or {}, "after": after.current or {}},
    }
