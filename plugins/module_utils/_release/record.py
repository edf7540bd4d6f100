# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release record: what is kept in the cluster of each release, in the ConfigMap C(SERVER-release).

A release is plain data: {id, server, run_id, started, by, reason, from, to, steps,
outcome, ended}. run_id: of the run that wrote last (lease.py), if any. from, to: {pool, image_ref, digest, version}; from also has the
weights before and its replicas, and to the contract, once it was read and accepted:
{structure_hash, text_hash, accepted}, and rollout_seconds, which its pool took to get ready. A step: {at, weights, share, seconds_to_follow, verdict}.
A release that a guard watches also has guard: {id, action, state, at, reason}, and one that waits to be run again has paused: {at, reason},
and until when it may stay paused (until). One that ended without a verdict on its version has judged: false: it was refused before anything was
deployed, or was a rollback to a named version that did not get to the traffic.
Times are ISO 8601 in UTC. Records from before 1.0.0 have other names, see former_records.current_names().
Nothing secret goes in. Its size is bounded: KEPT releases of at most STEPS
steps are far below the 1 MiB that a ConfigMap may have.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._release import fence, former_records
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost

KEPT = 20
STEPS = 30
REASON = 500  # characters
SUPERSEDED = "(superseded by "

RUNNING = "running"
SUCCEEDED = "succeeded"
ROLLED_BACK = "rolled_back"
FAILED = "failed"

Release = dict[str, t.Any]


@dataclass(frozen=True)
class ReleaseRecord:
    """current: the newest release, also after it has ended. history: the ones before it, newest first."""

    current: Release | None = None
    history: tuple[Release, ...] = ()


Change = t.Callable[[ReleaseRecord], ReleaseRecord]


def now(cluster: Api = None) -> str:
    """The API server's time, where the cluster is given; all times of a record are by it."""
    return _times.iso(cluster.now() if cluster else datetime.now(UTC))


def new_release(
    server: Server, *, by: str, reason: str, at: str, origin: dict[str, t.Any], target: dict[str, t.Any]
) -> Release:
    """A release that starts at C(at), from origin to target (see the top of this file)."""
    return {
        "id": f"{at}-{target['version']}",
        "server": server.name,
        "started": at,
        "by": by,
        "reason": reason[:REASON],
        "from": origin,
        "to": target,
        "steps": [],
        "outcome": RUNNING,
        "ended": None,
    }


def is_running(current: Release) -> bool:
    return current["outcome"] == RUNNING


def resumes(current: Release | None, target: dict[str, t.Any]) -> bool:
    """Whether a release to this target (pool, image_ref) is the one that was cut off."""
    return (
        current is not None
        and is_running(current)
        and all(current["to"].get(key) == target[key] for key in ("pool", "image_ref"))
    )


def begin(book: ReleaseRecord, fresh: Release) -> ReleaseRecord:
    """A release starts, unless it is the one that was cut off: that one goes on.

    One that was cut off and had another target has failed; the stable pool stays the one it started from.
    """
    current = book.current
    if current is None:
        return ReleaseRecord(fresh)
    if resumes(current, fresh["to"]):
        return replace(book, current=_going_on(current))
    if is_running(current):
        fresh = {**fresh, "from": current["from"]}
        current = {
            **_ended(current, FAILED, fresh["started"]),
            "reason": f"{current['reason']} {SUPERSEDED}{fresh['id']})".strip(),
        }
    return ReleaseRecord(fresh, (current, *book.history)[:KEPT])


def add_step(book: ReleaseRecord, step: dict[str, t.Any]) -> ReleaseRecord:
    """A step of the newest release; a no-op when it is its last one."""
    if book.current["steps"][-1:] == [step]:
        return book
    return replace(book, current={**book.current, "steps": [*book.current["steps"], step][-STEPS:]})


def add_contract(book: ReleaseRecord, contract: dict[str, t.Any]) -> ReleaseRecord:
    """What the newest release was allowed to offer."""
    return replace(book, current={**book.current, "to": {**book.current["to"], "contract": contract}})


def add_rollout(book: ReleaseRecord, pool: str, image_ref: str, seconds: float) -> ReleaseRecord:
    """How long the pool of the release that runs took to get ready; of another rollout nothing is kept."""
    current = book.current
    if (
        current is None
        or not is_running(current)
        or (current["to"]["pool"], current["to"].get("image_ref")) != (pool, image_ref)
    ):
        return book
    return replace(book, current={**current, "to": {**current["to"], "rollout_seconds": seconds}})


def rollout_seconds(book: ReleaseRecord, pool: str) -> float | None:
    """How long this pool took at its newest release, or else the other one at its own; None when that is not known."""
    known = [one["to"] for one in (book.current, *book.history) if one and one["to"].get("rollout_seconds")]
    own = [target for target in known if target["pool"] == pool]
    return next((target["rollout_seconds"] for target in [*own, *known]), None)


def add_guard(book: ReleaseRecord, release_id: str, guard: dict[str, t.Any]) -> ReleaseRecord:
    """What the guard of that release does; a no-op when it did so before, or when another release has begun."""
    current = book.current
    if current is None or current["id"] != release_id or {**current.get("guard", {}), "at": ""} == {**guard, "at": ""}:
        return book
    return replace(book, current={**current, "guard": guard})


def pause(book: ReleaseRecord, at: str, reason: str, until: str | None = None) -> ReleaseRecord:
    """The newest release goes on when it is run again; its traffic stays as it is. A no-op when it has ended, or is paused for this reason."""
    current = book.current
    if not is_running(current) or current.get("paused", {}).get("reason") == reason[:REASON]:
        return book
    return replace(
        book,
        current={**current, "paused": {"at": at, "reason": reason[:REASON], **({"until": until} if until else {})}},
    )


def end(book: ReleaseRecord, outcome: str, at: str, reason: str = "", judged: bool = True) -> ReleaseRecord:
    """The newest release ends; a no-op when it has ended so. The reason, if any, takes the place of the one it began with."""
    if book.current["outcome"] == outcome:
        return book
    more = {**({"reason": reason[:REASON]} if reason else {}), **({} if judged else {"judged": False})}
    return replace(book, current={**_ended(book.current, outcome, at), **more})


def is_judged(ended: Release) -> bool:
    """Return whether its end says anything of the version: not when it was never tried, and not of a rollback that did not get to the traffic."""
    untried = not ended["steps"] and not ended["to"].get("rollout_seconds")
    superseded = SUPERSEDED in ended["reason"] and ended["reason"].endswith(")")
    return ended.get("judged") is not False and not (ended["outcome"] == FAILED and superseded and untried)


def _ended(current: Release, outcome: str, at: str) -> Release:
    return {**_going_on(current), "outcome": outcome, "ended": at}


def _going_on(current: Release) -> Release:
    return {key: value for key, value in current.items() if key != "paused"}


def read(cluster: Api, server: Server) -> tuple[ReleaseRecord, str | None]:
    """The record, and the version of its ConfigMap, None when there is none yet. Raises Failure when it can't be read."""
    try:
        found = cluster.get(paths.config_maps(server.namespace, _name(server)))
    except NotFound:
        return ReleaseRecord(), None
    try:
        data = found.get("data") or {}
        current, history = (
            former_records.current_names(json.loads(data.get("current", "null"))),
            json.loads(data.get("history", "[]")),
        )
        sound = (current is None or is_release(current)) and isinstance(history, list)
    except ValueError:
        sound = False
    if not sound:
        raise Failure(
            f"ConfigMap {server.namespace}/{_name(server)} on {cluster.host} is not a release record: restore it, or look which pool is good "
            "before it is deleted; a rollback goes by what is noted on the route, or to the pool that is named (mcp_rollback_pool)."
        )
    return ReleaseRecord(current, tuple(map(former_records.current_names, history))), found["metadata"][
        "resourceVersion"
    ]


def is_release(document: t.Any) -> bool:
    """Whether it has what is read here; anybody may have edited the ConfigMap."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("steps"), list)
        and all(isinstance(document.get(key), str) for key in ("id", "reason", "outcome"))
        and all(isinstance(document.get(key), dict) and document[key].get("pool") in POOLS for key in ("from", "to"))
    )


def update(
    cluster: Api,
    server: Server,
    change: Change,
    *,
    run: str | None = None,
    takes_over: bool = False,
    dry_run: bool = False,
) -> tuple[ReleaseRecord, ReleaseRecord]:
    """Return the record before and after the change, written only when they differ.

    change: a pure function; it is called again on a fresh record when somebody
    else wrote in between. run: the run that writes, if it is one; the newest release is
    its own then. Raises Lost when that belongs to another run, unless this one took over
    from it: it holds the Lease then. takes_over: that is not asked, for an emergency whose
    Lease may be in trouble.
    """

    def attempt() -> tuple[ReleaseRecord, ReleaseRecord]:
        before, version = read(cluster, server)
        if run and not takes_over:
            _refuse_another_run(cluster, server, before.current, run, dry_run)
        after = change(before)
        if run and not takes_over and after != before:
            _refuse_ended(before.current, after.current, run)
        if (
            run and after.current and (after != before or not takes_over)
        ):  # an emergency that finds all done changes nothing
            after = replace(after, current={**after.current, "run_id": run})
        if after != before:
            _write(cluster, server, after, version, dry_run)
        return before, after

    return on_conflict(attempt, cluster.patience)


def _refuse_ended(before: Release | None, after: Release | None, run: str) -> None:
    """Raise Lost for a change of a release that another run has ended, whoever holds the Lease."""
    same = before and after and before["id"] == after["id"]
    if same and not is_running(before) and before.get("run_id") not in (None, "", run):
        raise LeaseLost(
            f"Another run ended release {before['id']}: {before['outcome']} ({before['reason'] or 'no reason given'}). Nothing more is changed by this one."
        )


def _refuse_another_run(cluster: Api, server: Server, current: Release | None, run: str, dry_run: bool) -> None:
    """Raise Lost when another run wrote the newest release, and this one does not hold the Lease."""
    if not current or current.get("run_id") in (None, "", run):
        return
    try:
        fence.check(cluster, server, run, dry_run=dry_run)
    except LeaseLost as lost:
        raise LeaseLost(
            f"{lost.msg} The newest release in its record is {current['id']} by {current.get('by')}."
        ) from None


def _write(cluster: Api, server: Server, book: ReleaseRecord, version: str | None, dry_run: bool) -> None:
    metadata = {"name": _name(server), "labels": {"app.kubernetes.io/managed-by": "mcp.server"}}
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"current": json.dumps(book.current), "history": json.dumps(book.history)},
    }
    if version is None:
        cluster.create(paths.config_maps(server.namespace), body, **({"dryRun": "All"} if dry_run else {}))
    else:
        cluster.patch(
            paths.config_maps(server.namespace, _name(server)),
            {**body, "metadata": {**metadata, "resourceVersion": version}},
            dry_run=dry_run,
        )


def _name(server: Server) -> str:
    return f"{server.name}-release"
