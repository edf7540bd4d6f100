# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles say of failures and decide by results of tasks: pure functions of plain data."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._announce import escalation
from ansible_collections.mcp.server.plugins.module_utils._text import one_line

Result = t.Mapping[str, t.Any]

NO_MESSAGE = "A task failed without a message; its output above says more."


def failure_message(failed: t.Any) -> str:
    """Return why a task failed. failed: its result, such as ansible_failed_result."""
    message = failed.get("msg") if isinstance(failed, t.Mapping) else None
    return one_line(str(message)) if message else NO_MESSAGE


def failure_kind(found: t.Any, module: t.Any) -> str:
    """Return the kind of a failure. found: the result of the task that failed, or of a watch after it."""
    name = str(module or "")
    evidence = found if isinstance(found, t.Mapping) else {}
    return escalation.kind_of(
        module=name,
        evidence=evidence,
        rollback_failed=name.rpartition(".")[2] == "mcp_rollback",
        failed_percent=escalation.failed_percent(evidence),
    )


def release_refusal(causes: t.Any, version: t.Any) -> str:
    """Return the sentence for a release that is refused before anything is deployed.

    causes: sentences, one sentence, or the result of a failed task. version: as it was given; it may be what is wrong.
    """
    if isinstance(causes, t.Mapping):
        causes = [failure_message(causes)]
    elif isinstance(causes, str):
        causes = [causes]
    what = f"Release of {version}" if version not in (None, "") else "Release"
    return f"{what} refused, nothing was deployed: {' '.join(map(str, causes))}"


def release_failure(cause: str, version: str, live: str) -> str:
    """Return the sentence for a release that failed before its first weight. live: the pool with the traffic."""
    return f"Release of {version} failed before it got any traffic; all traffic is on {live}. Cause: {cause}"


def deployment_failure(cause: str, pool: str, image_ref: str, restored: t.Any = None) -> str:
    """Return the sentence for a rollback to a named version that could not be deployed.

    pool: where it was to run. restored: the result of the task that gave the pool its image and size back, if it ran.
    """
    sentence = f"Rollback to {image_ref} failed, and the traffic was not changed. Cause: {cause}"
    message = restored.get("msg") if isinstance(restored, t.Mapping) else None
    if message and not restored.get("skipped"):
        return f"{sentence} Pool {pool} could not be restored either: {message}"
    return sentence


def rollback_failure(failed: t.Any, server: str, sent: t.Any = None, verified: t.Any = None) -> dict[str, t.Any]:
    """Return what became of a rollback, one of whose tasks failed: message, taken_over, and success.

    failed: the task's result. sent, verified: the results of the two tasks that return the traffic, as far as they ran.
    taken_over: another run releases the server now, and reports how that ends. success: it took over when all
    traffic was back already, so that nothing of the rollback is missing.
    """
    cause = failure_message(failed)
    taken_over = isinstance(failed, t.Mapping) and bool(failed.get("taken_over"))
    sent, verified = (one if isinstance(one, t.Mapping) else {} for one in (sent, verified))
    is_verified = "pool" in verified and not verified.get("failed")
    if taken_over and (is_verified or sent.get("written")):
        pool = verified["pool"] if is_verified else sent.get("pool")
        message = f"All traffic of {server} is back on {pool}. Another run took over and does the rest. {cause}"
        return {"message": message, "taken_over": True, "success": True}
    return {"message": cause, "taken_over": taken_over, "success": False}


def watched_pool(found: Result) -> dict[str, t.Any]:
    """Return which pool a watch judges, its weight, and whether a breach could be rolled back, with what to do
    otherwise.

    found: as mcp_release_info returns it. A rollback returns to the pool that the newest release came from.
    """
    weights = found["weights"]
    pool = "green" if weights["green"] > weights["blue"] else "blue"
    record = found.get("record")
    possible = bool(record and record["from"]["pool"] != pool)
    advice = (
        "To return the traffic to the previous version: ansible-playbook mcp.server.rollback."
        if possible
        else f"No automatic way back: the release record has no release to pool {pool}. "
        "To return the traffic to a version that is named: ansible-playbook mcp.server.rollback -e "
        "mcp_rollback_version=v1.1.5."
    )
    return {"pool": pool, "weight": weights[pool], "can_roll_back": possible, "advice": advice}


def statuses(
    hosts: t.Iterable[str], hostvars: t.Mapping[str, t.Any], name: str = "status_result"
) -> list[dict[str, t.Any]]:
    """Return each MCP server among the hosts with the result of mcp_status_info that a task registered, if any."""
    found = []
    for host in hosts:
        variables = hostvars[host]
        if variables.get("mcp_namespace"):
            result = variables.get(name)
            status = dict(result) if isinstance(result, t.Mapping) else {}
            for key in ("invocation", "lines"):
                status.pop(key, None)
            found.append({"host": str(host), "status": status})
    return found


def check_results(found: t.Any, check_id: str, name: str, passed: str = "", warns: bool = False) -> list[Result]:
    """Return the results of the checks that a task made, as in RETURN of mcp_verdict. warns: none fails the play."""
    results = _check_results(found, check_id, name, passed)
    return [{**one, "required": False} for one in results] if warns else results


def _check_results(found: t.Any, check_id: str, name: str, passed: str) -> list[Result]:
    """Return them as their module has them.

    found: what the task registered. A task without results is one check itself, with this id and name; one that was
    skipped is none. passed: the sentence of that one when it passed.
    """
    registered = found if isinstance(found, t.Mapping) else {}
    results = list(registered["checks"]) if "checks" in registered else []
    # What is none of its checks may have failed it, too.
    if "checks" in registered and ("msg" not in registered or _results.problems(results)):
        return results
    if not registered or (registered.get("skipped") and not registered.get("failed")):
        return []
    # failed_when: false makes a failure look like a success; what failed has a message.
    failed = registered.get("failed") or "msg" in registered
    verdict = _results.FAILED if failed else _results.PASSED
    message = failure_message(registered) if failed else passed or f'Check "{name}" passed.'
    seconds = registered.get("seconds")
    took = float(seconds) if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) else None
    return [*results, _results.result(check_id, name, verdict, message, seconds=took)]
