# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_watch: watch, and with rollback roll a breach back."""

from __future__ import annotations

import typing as t
from contextlib import nullcontext
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._modules.ending_options import OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass, watch
from ansible_collections.mcp.server.plugins.module_utils._traffic.broken_glass import GlassBroken
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrite_monitor import (
    REQUEST_TIMEOUT,
    OverwriteMonitor,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import has_others

GLASS_INTERVAL = 5.0  # seconds between looks whether what break_glass.yml changed is restored
SHORTEST = 1.0  # seconds of a watch that goes on

SPEC = replace(
    watch.SPEC,
    options={**watch.SPEC.options, "rollback": {"type": "bool", "default": False}, **OPTIONS},
    required_if=[*watch.SPEC.required_if, ("rollback", True, ("namespace", "server"))],
)


def ends_by_itself(params: dict[str, t.Any]) -> bool:
    """Return whether the task must not be cut off at its end: it may roll back there."""
    return bool(params.get("rollback"))


def no_way_back(release: dict[str, t.Any] | None, holder: dict[str, str] | None, pool: str) -> str:
    """Return why a breach of this pool is not rolled back, a sentence; empty when it is. Pure.

    release: the newest of the record. holder: the result of mcp_release_info. Both may have changed during the watch.
    """
    if holder is not None:
        return f"{holder['by']} has a release in progress."
    if release is not None and release["from"]["pool"] == pool:
        return f"the newest release came from {pool}, so a rollback would return the traffic to {pool} itself."
    return ""


def run(task: Task) -> dict[str, t.Any]:
    """Return what RETURN of mcp_watch lists. Raise Failure with the same, and with what a rollback changed."""
    if task.check_mode:
        return watch.run(task)
    if not task.params["rollback"]:
        return _watch(task)
    # Only with rollback, as a watch alone does not need these.
    from ansible_collections.mcp.server.plugins.module_utils._announce import escalation, payload
    from ansible_collections.mcp.server.plugins.module_utils._modules import closing
    from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls
    from ansible_collections.mcp.server.plugins.module_utils._modules.ending import RELEASE_INFO, Ending

    calls = Calls.of(task.params)
    ending = Ending(task, calls)
    ending.check()
    try:
        return _watch_and_yield(task)
    except Failure as breach:
        overwritten = isinstance(breach, Overwritten)
        if isinstance(breach, GlassBroken):
            raise
        if breach.evidence.get("verdict") != BREACH and not overwritten:
            raise
        ending.kind = escalation.kind_of(evidence=breach.evidence)
        ending.keep_verdicts(breach.evidence, task.params["pool"])
        try:
            now = calls.run(task, RELEASE_INFO)
        except Failure:
            # The rollback tries for longer, and does without what can't be read.
            now = {"record": None, "holder": None}
        holder = None if task.params["run_id"] else now["holder"]
        if reason := no_way_back(now["record"], holder, task.params["pool"]):
            raise Failure(f"{breach.msg} It is not rolled back: {reason}", **breach.evidence) from None
        try:
            found = ending.roll_back(breach.msg, task.params["run_id"], once=overwritten)
        except LeaseLost as lost:
            raise Failure(f"{breach.msg} {lost.msg}", **{**breach.evidence, **lost.evidence}) from None
        except Failure as failure:
            ending.conclude(payload.ROLLBACK_FAILED, failure.msg)
            ending.escalate()
            raise Failure(
                f"{breach.msg} The rollback failed: {failure.msg}",
                **{**breach.evidence, **failure.evidence, **ending.result},
            ) from None
        ending.conclude()
        ending.escalate()
        scaled = " Nothing was scaled." if overwritten else ""
        tagged = closing.by_tag(found.get("digest_gone") or "")
        raise Failure(
            f"{breach.msg} The release was rolled back: all traffic is on {found['pool']}{tagged}.{scaled}",
            **{**breach.evidence, **ending.result, "changed": found["changed"]},
        ) from None


def _watch_and_yield(task: Task) -> dict[str, t.Any]:
    """Watch. While break_glass.yml has changed the server, wait until it is restored, then watch for the rest.

    Raise GlassBroken when it is still broken once the time of the watch is over. Raises Failure.
    """
    bound = Deadline(task.params["seconds"])
    rest = task
    while True:
        try:
            return _watch(rest)
        except Failure as failure:
            bad = failure.evidence.get("verdict") == BREACH or isinstance(failure, (Overwritten, GlassBroken))
            found = _broken(task) if bad else []
            if not found and not isinstance(failure, GlassBroken):
                raise
            said = broken_glass.sentence(found, Server.from_params(task.params))
            about = failure.msg if isinstance(failure, GlassBroken) else f"{failure.msg} It is not rolled back: {said}"
            task.progress(f"{about} The watch goes on once it is restored.")
            # A release that this watch belongs to has to end: nothing renews its Lease during the wait.
            while _broken(task):
                if task.params["run_id"] or not bound.pause(GLASS_INTERVAL):
                    raise GlassBroken(about, **failure.evidence) from None
            task.progress("restored: the watch goes on")
            rest = replace(task, params={**task.params, "seconds": max(bound.left, SHORTEST)})


def _broken(task: Task) -> list[broken_glass.Broken]:
    """Return what break_glass.yml has changed; nothing where that can't be read."""
    try:
        return broken_glass.find(connection.connect(task.params), Server.from_params(task.params))
    except Failure:
        return []


def _watch(task: Task) -> dict[str, t.Any]:
    """Watch. With a server and a pool, fail as soon as somebody else changes the route or the pools."""
    params = task.params
    if not (params["namespace"] and params["server"] and params["pool"]):
        return watch.run(task)
    try:
        cluster, server = connection.connect(params), Server.from_params(params)
        if params["other_backends"] is None:
            found = has_others(cluster.limited(0.0, REQUEST_TIMEOUT), server)
            task = replace(task, params={**params, "other_backends": found})
        monitor = OverwriteMonitor(task, cluster, server, None)
    except Failure as failure:
        task.progress(f"changes of the route by others will not be noticed: {failure.msg}")
        return watch.run(task)
    renewing: t.ContextManager[Task] = nullcontext(task)
    if params["run_id"]:
        renewing = lease_renewal.renewing(task, params["run_id"], required=not params["rollback"])
    with monitor, renewing as renewed:

        def check_lease() -> None:
            renewed.check_lease()
            monitor.refuse()

        # Not watch.run: with rollback, it would renew the Lease again, and check nothing else.
        return watch.watch(replace(renewed, check_lease=check_lease))
