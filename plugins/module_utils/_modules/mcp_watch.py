# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_watch: watches, and with rollback goes back itself at a breach."""

from __future__ import annotations

import typing as t
from contextlib import nullcontext
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._modules.ending_options import OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import watch
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrite_monitor import OverwriteMonitor
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Overwritten

SPEC = replace(
    watch.SPEC,
    options={**watch.SPEC.options, "rollback": {"type": "bool", "default": False}, **OPTIONS},
    required_if=[*watch.SPEC.required_if, ("rollback", True, ("namespace", "server"))],
)


def ends_by_itself(params: dict[str, t.Any]) -> bool:
    """Return whether the task has an end that nobody else may cut off."""
    return bool(params.get("rollback"))


def no_way_back(release: dict[str, t.Any] | None, holder: dict[str, str] | None, pool: str) -> str:
    """Return why a breach of this pool is not taken back, a sentence; empty when it is. Pure.

    release: the newest of the record. holder: who releases the server now, as mcp_release_info tells. They may be others than when the watch began.
    """
    if holder is not None:
        return f"{holder['by']} releases the server now."
    if release is not None and release["from"]["pool"] == pool:
        return f"a rollback goes to the pool that the newest release came from, which is {pool} itself."
    return ""


def run(task: Task) -> dict[str, t.Any]:
    if task.check_mode:
        return watch.run(task)
    if not task.params["rollback"]:
        return _watch(task)
    # Only here: it takes what a watch alone does not need.
    from ansible_collections.mcp.server.plugins.module_utils._announce import payload
    from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls
    from ansible_collections.mcp.server.plugins.module_utils._modules.ending import RELEASE_INFO, Ending

    calls = Calls.of(task.params)
    ending = Ending(task, calls)
    ending.check()
    try:
        return _watch(task)
    except Failure as breach:
        overwritten = isinstance(breach, Overwritten)
        if breach.evidence.get("verdict") != BREACH and not overwritten:
            raise
        ending.keep_verdicts(breach.evidence, task.params["pool"])
        try:
            now = calls.run(task, RELEASE_INFO)
        except (
            Failure
        ):  # the rollback waits for longer, and does without what can't be read: a split that is nobody's, too
            now = {"record": None, "holder": None}
        if reason := no_way_back(now["record"], None if task.params["run_id"] else now["holder"], task.params["pool"]):
            raise Failure(f"{breach.msg} It is not taken back: {reason}", **breach.evidence) from None
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
        raise Failure(
            f"{breach.msg} The release was taken back. Its traffic is on {found['pool']}.{scaled}",
            **{**breach.evidence, **ending.result, "changed": found["changed"]},
        ) from None


def _watch(task: Task) -> dict[str, t.Any]:
    """Watch, and look meanwhile whether somebody else changes what is watched, where it is known which server that is."""
    params = task.params
    if not (params["namespace"] and params["server"] and params["pool"]):
        return watch.run(task)
    try:
        looking = OverwriteMonitor(task, connection.connect(params), Server.from_params(params), None)
    except Failure as failure:
        task.progress(f"whether somebody else changes the route is not looked at: {failure.msg}")
        return watch.run(task)
    renewing = lease_renewal.renewing(task, params["run_id"]) if params["run_id"] else nullcontext(task)
    with looking, renewing as kept:

        def held() -> None:
            kept.check_lease()
            looking.refuse()

        return watch.run(replace(kept, check_lease=held))
