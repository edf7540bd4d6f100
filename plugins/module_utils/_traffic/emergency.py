# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emergency's one call: the traffic back to where it was, at once."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack

from ansible_collections.mcp.server.plugins.module_utils._cluster import keeping, lock, record
from ansible_collections.mcp.server.plugins.module_utils._cluster.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import same_version
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import plan
from ansible_collections.mcp.server.plugins.module_utils._traffic.moving import Shift, step, text, update_record

REPORT = 2.0  # seconds that counting the sessions of the bad pool may take, afterwards


def roll_back(shift: Shift) -> dict[str, t.Any]:
    """The emergency: weights first, from as few reads as tell the pool; all that is known of the bad pool can wait."""
    task, server = shift.task, shift.server
    book, _version = record.read(shift.cluster, server)
    before = shift.read()
    good = plan.rollback_target(before, book.current)
    if good is None:
        raise Failure(
            f"No rollback of {server}: no release is recorded and no pool has most of the traffic ({text(before)}); name the pool (pool and weight: 100)."
        )
    wanted = plan.split(good, 100)
    known = book.current or _unrecorded(server, before, good)
    planned = known["from"].get("replicas") or 0 if known["from"]["pool"] == good else 0
    shift.result |= {"pool": good, "bad_pool": other(good), "version": known["from"].get("version") or ""}
    if plan.gaining(before, wanted) and not task.params["force"] and _is_empty(shift, good):
        # Only here: an emergency waits for imports.
        from ansible_collections.mcp.server.plugins.module_utils._traffic import reviving

        reviving.revive(shift, good, planned, record.rollout_seconds(book, good))
    # Marked sessions of the bad pool go too: the good one answers 404, at which their clients start anew.
    shift.pinned = False
    shift.write(before, wanted)
    if task.check_mode:
        return shift.result

    def end(book: record.Book) -> record.Book:
        return record.end(book if book.current else record.Book(known), record.ROLLED_BACK, record.now(), task.params["reason"])

    def meanwhile() -> None:
        update_record(shift, end)
        if shift.result["changed"]:
            _full_size(shift, good, planned)
        hold_on(shift, held)

    def add_step(verdict: str) -> None:
        if shift.result["changed"]:
            taken = step(shift, verdict)
            update_record(shift, lambda book: record.add_step(book, taken) if book.current else book)

    with ExitStack() as held:
        try:
            # At once, not after the verification: a second rollback must not take this one for the release.
            shift.verify(wanted, meanwhile=meanwhile)
            _refuse_other_version(shift)
        except Failure:
            add_step("not verified")
            raise
    add_step("followed" if shift.public else "not measured")
    _report_sessions(shift)
    return shift.result


def _report_sessions(shift: Shift) -> None:
    """When all is done: what is still open on the bad pool is lost."""
    found = shift.result["sessions"]
    found["marked"] = shift.kind.marked(shift.route, shift.server)
    if shift.task.params["sessions_metric"]:
        from ansible_collections.mcp.server.plugins.module_utils._traffic import gauge

        found["at_risk_after"] = gauge.count(shift.task, shift.cluster, shift.server, shift.result["bad_pool"], REPORT)
        if found["at_risk_after"]:
            shift.task.progress(f"sessions that pool {shift.result['bad_pool']} had open, and that end with this: {found['at_risk_after']}")


def _is_empty(shift: Shift, pool: str) -> bool:
    """Whether the pool has no ready endpoint; not when that can't be told."""
    try:
        return not shift.server.ready_endpoints(shift.cluster, pool)
    except Failure as failure:
        shift.task.warn(f"Whether pool {pool} has ready endpoints is not known. {failure.msg}")
        return False


def _full_size(shift: Shift, pool: str, planned: int) -> None:
    """A pool that was kept small gets the size that it had before the release. The traffic has moved: not being able to is a warning."""
    try:
        _image, replicas = shift.server.image(shift.cluster, pool)
        if 0 < replicas < planned:
            from ansible_collections.mcp.server.plugins.module_utils import _rollout

            shift.task.progress(f"pool {pool} had {planned} pods before the release, and has {replicas} now: scaled up")
            _rollout.change(shift.task, shift.cluster, shift.server, pool, replicas=planned)
    except Failure as failure:
        shift.task.warn(f"Pool {pool} may be smaller than before the release. {failure.msg}")


def _refuse_other_version(shift: Shift) -> None:
    expected, seen = shift.result["version"], (shift.result["share"] or {}).get("versions", [])
    if not expected or shift.public is None:
        return
    if not seen:
        shift.task.warn("The version was not verified: the health document tells none.")
    elif not all(same_version(version, expected) for version in seen):
        raise Failure(
            f"{shift.server} is back on pool {shift.result['pool']}, but it answers as version {', '.join(seen)}, not {expected}: find out what runs there.",
            **shift.result,
        )


def _unrecorded(server: Server, before: Weights, good: str) -> record.Release:
    """Stands for the release that was not recorded; its images are not worth a read now."""
    nothing = {"image": "", "digest": "", "version": ""}
    return record.release(
        server,
        by=record.whoever_runs(),
        reason="rolled back without a release record",
        at=record.now(),
        origin={"pool": good, **nothing, "weights": before},
        target={"pool": other(good), **nothing},
    )


def hold_on(shift: Shift, held: ExitStack) -> None:
    """To the Lease that this emergency took, which lasts for less than a pool may need to come up, or a gateway to follow."""
    if run := shift.result.get("lock"):
        try:
            held.enter_context(keeping.renewed(shift.task, run))
        except Unreachable:
            raise
        except Failure as failure:
            shift.task.warn(f"A release that begins somewhere else is not held off. {failure.msg}")


def take_over(shift: Shift) -> str:
    """The id of this run, which releases the server from now on, whoever did before. An emergency does not fail for want of it."""
    run, lease = lock.new_run(), lock.Lock(shift.cluster, shift.server.namespace, shift.server.name)
    try:
        before = lease.acquire(run, record.whoever_runs(), lock.this_process(shift.task.runner), take_over=True)
    except Unreachable:
        raise  # nothing else can be done either
    except Failure as failure:
        shift.task.warn(f"A release that goes on somewhere else is not held off. {failure.msg}")
        return ""
    if before is not None:
        shift.task.progress(f"took over from {before.by}, whose release does not go on")
    return run
