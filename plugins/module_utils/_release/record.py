# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release record: what the cluster keeps of each release of a server, in the ConfigMap C(SERVER-release).

The record is plain data (the TypedDicts below). Times are ISO 8601 in UTC. Nothing secret goes in. Its size is
bounded: KEPT releases of at most STEPS steps and ACCEPTED accepted changes are far below the 1 MiB that a ConfigMap may
have. The ConfigMap also has the last logs of a bad pool (_workload/kept_logs.py), which writes of the record keep.

Anybody may have edited the ConfigMap. Each release that read() returns has what is_release() checks; everything else
may be missing, so readers take it with get(), but has its type (sound.py). Records from before 1.0.0 have other
names, see former_records.current_names().
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._image import same_repository, same_version
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._release import fence, former_records, sound
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost
from ansible_collections.mcp.server.plugins.module_utils._text import printable

KEPT = 20
STEPS = 30
ACCEPTED = 20  # changes of a contract that are kept by name
ITEM = 200  # characters of one of them
REASON = 500  # characters
LABELS = {"app.kubernetes.io/managed-by": "mcp.server"}  # of the ConfigMap
SUPERSEDED = "(superseded by "

RUNNING = "running"
SUCCEEDED = "succeeded"
ROLLED_BACK = "rolled_back"
FAILED = "failed"


class Contract(t.TypedDict, total=False):
    """What the new version offers, once it was read and accepted."""

    structure_hash: str
    text_hash: str
    # The first ACCEPTED of the changes that were accepted by name, and how many there were.
    accepted: list[str]
    accepted_count: int


class Side(t.TypedDict, total=False):
    """One end of a release: the pool that it starts from, or the one that it goes to."""

    pool: t.Required[str]
    image_ref: str
    # Empty when the pods of the pool ran different ones.
    digest: str
    version: str | None
    # Of both pools before the release. Only in from.
    weights: Weights
    # Of the pool before the release. Only in from.
    replicas: int
    # The one that was gone from the registry at the rollback, which therefore deployed the tag. Only in from.
    digest_gone: str
    # Only in to.
    contract: Contract
    # Seconds until the pool was ready. Only in to.
    rollout_seconds: float


class Step(t.TypedDict, total=False):
    """One change of the weights, and what came of it."""

    at: str
    weights: Weights
    # Percent of each pool, how many requests that was measured by (requests), and how many of these failed (failed).
    # None when it was not measured.
    share: dict[str, t.Any] | None
    seconds_to_follow: float | None
    verdict: str


class GuardNote(t.TypedDict):
    """What the guard of a release does."""

    # Of the guard, see job.identity().
    id: str
    # What it does when the run has died: rollback or pause.
    action: str
    # One of running, paused, rolled_back, failed.
    state: str
    at: str
    reason: str


class Pause(t.TypedDict, total=False):
    """Since when and why a release waits to be run again."""

    at: str
    reason: str
    # When the guard rolls it back.
    until: str


# In functional form, as one key is a keyword.
Release = t.TypedDict(
    "Release",
    {
        "id": t.Required[str],
        "server": str,
        # Of the run that wrote last, if any (lease.py).
        "run_id": str,
        "started": str,
        # For people: who started it.
        "by": str,
        # Why it began; once it has ended, why it ended.
        "reason": t.Required[str],
        "from": t.Required[Side],
        "to": t.Required[Side],
        "steps": t.Required[list[Step]],
        "outcome": t.Required[str],
        "ended": "str | None",
        # Only with a guard.
        "guard": GuardNote,
        # Only while it waits to be run again.
        "paused": Pause,
        # False when its end says nothing of its version, see is_judged().
        "judged": bool,
        # The outcome that was announced last.
        "announced": str,
        # True when it had succeeded before it ended otherwise, as by a rollback later.
        "had_succeeded": bool,
        # What a person bypassed by name, and why, see bypassed.py. Only of releases that did.
        "bypassed": list[str],
        "bypass_reason": str,
        # True for a rollback to a pool that a person named.
        "named": bool,
    },
    total=False,
)


@dataclass(frozen=True)
class ReleaseRecord:
    # The newest release, also after it has ended.
    current: Release | None = None
    # The ones before it, newest first.
    history: tuple[Release, ...] = ()

    @property
    def newest(self) -> Release:
        """Return the newest release. Raises Failure without one."""
        if self.current is None:
            raise Failure("No release is recorded: begin one first (mcp_release with state=begun).")
        return self.current


Change = t.Callable[[ReleaseRecord], ReleaseRecord]


def now(cluster: Api | None = None) -> str:
    """Return the time as text: the API server's, by which all times of a record are, where the cluster is given."""
    return _times.iso(cluster.now() if cluster else datetime.now(UTC))


def new_release(server: Server, *, by: str, reason: str, at: str, origin: Side, target: Side) -> Release:
    """Return a release that starts at C(at), from origin to target."""
    return {
        "id": f"{at}-{target['version']}",
        "server": server.name,
        "started": at,
        "by": by,
        "reason": printable(reason, REASON),
        "from": origin,
        "to": target,
        "steps": [],
        "outcome": RUNNING,
        "ended": None,
    }


def is_running(current: Release) -> bool:
    return current["outcome"] == RUNNING


def resumes(current: Release | None, target: Side) -> bool:
    """Return whether a release to this target (pool, image_ref) continues one that was interrupted.

    It does not when the tag has moved in between: the digests differ.
    """
    if current is None or not is_running(current):
        return False
    old, new = str(current["to"].get("image_ref") or ""), target.get("image_ref") or ""
    return current["to"]["pool"] == target["pool"] and same_repository(old, new) and same_version(old, new)


def begin(record: ReleaseRecord, fresh: Release) -> ReleaseRecord:
    """Begin a release, or continue the one that was interrupted when both have the same target.

    One that was interrupted and had another target has failed; the stable pool stays the one that it started from.
    """
    current = record.current
    if current is None:
        return ReleaseRecord(fresh)
    if resumes(current, fresh["to"]):
        return replace(record, current=_continued(current))
    if is_running(current):
        fresh = {**fresh, "from": current["from"]}
        reason = f"{current['reason']} {SUPERSEDED}{fresh['id']})".strip()
        current = {**_ended(current, FAILED, fresh["started"]), "reason": reason}
    return ReleaseRecord(fresh, (current, *record.history)[:KEPT])


def add_step(record: ReleaseRecord, step: Step) -> ReleaseRecord:
    """Add a step to the newest release, unless it is its last one already."""
    current = record.newest
    if current["steps"][-1:] == [step]:
        return record
    return replace(record, current={**current, "steps": [*current["steps"], step][-STEPS:]})


def add_contract(record: ReleaseRecord, contract: Contract) -> ReleaseRecord:
    """Note what the newest release was allowed to offer."""
    current = record.newest
    accepted = contract.get("accepted", [])
    contract = {**contract, "accepted": [printable(one, ITEM) for one in accepted[:ACCEPTED]]}
    if len(accepted) > ACCEPTED:
        contract["accepted_count"] = len(accepted)
    return replace(record, current={**current, "to": {**current["to"], "contract": contract}})


def add_digest(record: ReleaseRecord, digest: str) -> ReleaseRecord:
    """Note which image the pods of the newest release run."""
    current = record.newest
    return replace(record, current={**current, "to": {**current["to"], "digest": digest}})


def add_rollout(record: ReleaseRecord, pool: str, image_ref: str, seconds: float) -> ReleaseRecord:
    """Note how long the pool of the running release took to get ready; ignore any other rollout."""
    current = record.current
    if current is None or not is_running(current):
        return record
    target = current["to"]
    if (target["pool"], target.get("image_ref")) != (pool, image_ref):
        return record
    return replace(record, current={**current, "to": {**target, "rollout_seconds": seconds}})


def rollout_seconds(record: ReleaseRecord, pool: str) -> float | None:
    """Return the seconds of the newest known rollout of this pool, or else of the other one; None without any."""
    targets = [release["to"] for release in (record.current, *record.history) if release]
    known = [target for target in targets if target.get("rollout_seconds")]
    of_pool = [target for target in known if target["pool"] == pool]
    return next((target["rollout_seconds"] for target in [*of_pool, *known]), None)


def add_fallback(record: ReleaseRecord, image_ref: str, digest_gone: str) -> ReleaseRecord:
    """Note that the pool which a rollback returned to runs this image by its tag, since its digest was gone."""
    current = record.newest
    origin: Side = {**current["from"], "image_ref": image_ref, "digest": "", "digest_gone": digest_gone}
    return replace(record, current={**current, "from": origin})


def add_guard(record: ReleaseRecord, release_id: str, guard: GuardNote) -> ReleaseRecord:
    """Note what the guard of that release does, unless only the time differs, or another release has begun."""
    current = record.current
    if current is None or current["id"] != release_id:
        return record
    if {**current.get("guard", {}), "at": ""} == {**guard, "at": ""}:
        return record
    return replace(record, current={**current, "guard": guard})


def pause(record: ReleaseRecord, at: str, reason: str, until: str | None = None) -> ReleaseRecord:
    """Pause the newest release: running it again continues it, and its traffic stays as it is.

    A no-op when it has ended, or is paused for this reason.
    """
    current, reason = record.newest, printable(reason, REASON)
    if not is_running(current) or current.get("paused", {}).get("reason") == reason:
        return record
    paused: Pause = {"at": at, "reason": reason}
    if until:
        paused["until"] = until
    return replace(record, current={**current, "paused": paused})


def end(record: ReleaseRecord, outcome: str, at: str, reason: str = "", judged: bool = True) -> ReleaseRecord:
    """End the newest release, unless it has ended so. A reason replaces the one that it began with."""
    if record.newest["outcome"] == outcome:
        return record
    ended = _ended(record.newest, outcome, at)
    if reason:
        ended["reason"] = printable(reason, REASON)
    if not judged:
        ended["judged"] = False
    return replace(record, current=ended)


def is_judged(ended: Release) -> bool:
    """Return whether its end says anything about the version.

    It does not when the release was refused before anything was deployed, nor for a rollback that did not get the
    traffic.
    """
    untried = not ended["steps"] and not ended["to"].get("rollout_seconds")
    superseded = SUPERSEDED in ended["reason"] and ended["reason"].endswith(")")
    return ended.get("judged") is not False and not (ended["outcome"] == FAILED and superseded and untried)


def _ended(current: Release, outcome: str, at: str) -> Release:
    ended: Release = {**_continued(current), "outcome": outcome, "ended": at}
    if current["outcome"] == SUCCEEDED:
        ended["had_succeeded"] = True
    return ended


def _continued(current: Release) -> Release:
    continued = current.copy()
    continued.pop("paused", None)
    return continued


def read(cluster: Api, server: Server) -> tuple[ReleaseRecord, str | None]:
    """Return the record, and the resourceVersion of its ConfigMap, None without one. Raises Failure when unreadable."""
    try:
        found = cluster.get(paths.config_maps(server.namespace, name_of_map(server)))
    except NotFound:
        return ReleaseRecord(), None
    try:
        data = found.get("data") or {}
        document = json.loads(data.get("current") or "null")
        current, history = _release(document), json.loads(data.get("history") or "[]")
        is_sound = (document is None or current is not None) and isinstance(history, list)
    except (ValueError, TypeError, RecursionError):
        is_sound = False
    if not is_sound:
        raise Failure(
            f"ConfigMap {server.namespace}/{name_of_map(server)} on {cluster.host} is not a release record. Restore "
            "it, or find out which pool is good before you delete it. A rollback works without it: it goes by the "
            "route's note of the stable pool, or to the pool that you name (mcp_rollback_pool)."
        )
    former = [one for one in map(_release, history[:KEPT]) if one is not None]
    return ReleaseRecord(current, tuple(former)), found["metadata"]["resourceVersion"]


def _release(document: t.Any) -> Release | None:
    """Return a release of the record whose values have their types; None when it has not what is_release() checks."""
    named = former_records.current_names(document)
    if not isinstance(named, dict):
        return None
    steps = named.get("steps")
    last_steps = steps[-STEPS:] if isinstance(steps, list) else []
    found = {"reason": "", **(sound.sound(Release, {**named, "steps": last_steps}) or {})}
    return found if is_release(found) else None


def is_release(document: t.Any) -> t.TypeGuard[Release]:
    """Return whether it has the keys without which no code here works; anybody may have edited the ConfigMap."""
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
    """Change the record; return it before and after. It is written only when the two differ.

    change: a pure function, called again with a fresh record when another client wrote in between.
    run: the id of the run that writes, if it is one. The newest release belongs to it from then on. Raises LeaseLost
    when the release belongs to another run, unless this one holds the Lease, having taken over.
    takes_over: skip that check, for an emergency whose Lease may be in trouble.
    """

    def attempt() -> tuple[ReleaseRecord, ReleaseRecord]:
        before, version = read(cluster, server)
        if run and not takes_over:
            _refuse_another_run(cluster, server, before.current, run, dry_run)
        after = change(before)
        if run and not takes_over and after != before:
            _refuse_ended(before.current, after.current, run)
        # An emergency that finds everything done changes nothing.
        if run and after.current and (after != before or not takes_over):
            after = replace(after, current={**after.current, "run_id": run})
        if after != before:
            _write(cluster, server, after, version, dry_run)
        return before, after

    return on_conflict(attempt, cluster.patience)


def _refuse_ended(before: Release | None, after: Release | None, run: str) -> None:
    """Raise LeaseLost for a change of a release that another run has ended, whoever holds the Lease."""
    if before is None or after is None or before["id"] != after["id"]:
        return
    if not is_running(before) and before.get("run_id") not in (None, "", run):
        raise LeaseLost(
            f"Another run has ended release {before['id']}: {before['outcome']} "
            f"({before['reason'] or 'no reason given'}). This run makes no further changes."
        )


def _refuse_another_run(cluster: Api, server: Server, current: Release | None, run: str, dry_run: bool) -> None:
    """Raise LeaseLost when another run wrote the newest release, and this one does not hold the Lease."""
    if not current or current.get("run_id") in (None, "", run):
        return
    try:
        fence.check(cluster, server, run, dry_run=dry_run)
    except LeaseLost as lost:
        raise LeaseLost(
            f"{lost.msg} The newest release in the record is {current['id']}, by {current.get('by')}."
        ) from None


def _write(cluster: Api, server: Server, record: ReleaseRecord, version: str | None, dry_run: bool) -> None:
    metadata = {"name": name_of_map(server), "labels": LABELS}
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"current": json.dumps(record.current), "history": json.dumps(record.history)},
    }
    if version is None:
        query = {"dryRun": "All"} if dry_run else {}
        cluster.create(paths.config_maps(server.namespace), body, **query)
    else:
        body["metadata"] = {**metadata, "resourceVersion": version}
        cluster.patch(paths.config_maps(server.namespace, name_of_map(server)), body, dry_run=dry_run)


def name_of_map(server: Server) -> str:
    """Return the name of the ConfigMap."""
    return f"{server.name}-release"
