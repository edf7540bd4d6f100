# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge what was read of a server: how bad it is, and why, the worst first. Pure.

A status is the dictionary that mcp_status_info returns, see its RETURN.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH
from ansible_collections.mcp.server.plugins.module_utils._guide import document
from ansible_collections.mcp.server.plugins.module_utils._guide.review import MONTH, QUARTER, review_warning
from ansible_collections.mcp.server.plugins.module_utils._release import bypassed, record, summary
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, other
from ansible_collections.mcp.server.plugins.module_utils._status.instances import TERMINATING, Instance
from ansible_collections.mcp.server.plugins.module_utils._text import printable

Status = t.Mapping[str, t.Any]

DOWN, UNKNOWN, DEGRADED, ATTENTION, OK = STATES = ("down", "unknown", "degraded", "attention", "ok")
RECENT = 3600.0  # seconds since a restart that is worth a look
FULL = 0.9  # of the memory limit
MAX_NAMED = 3  # pods in one sentence
MAX_TEXT = 200


class Finding(t.NamedTuple):
    state: str
    # A sentence.
    text: str


def judge(status: Status) -> list[Finding]:
    """Return what is wrong, the worst first; nothing for a server that is well."""
    found = [
        *_traffic(status),
        *_broken_glass(status),
        *_answers(status),
        *_triggers(status),
        *_pods(status),
        *_release(status),
        *_bypassed(status),
        *_last_drill(status),
        *_last_guide(status),
        *(Finding(ATTENTION, sentence) for sentence in status["drift"]),
    ]
    return sorted(found, key=lambda one: STATES.index(one.state))


def state_of(findings: t.Sequence[Finding]) -> str:
    return findings[0].state if findings else OK


def with_traffic(status: Status) -> list[str]:
    """Return the pools that get traffic; both while the weights are unknown."""
    weights = status["route"]["weights"]
    return [pool for pool in POOLS if not weights or weights.get(pool)]


def _traffic(status: Status) -> t.Iterator[Finding]:
    route, release = status["route"], status["release"]
    if route["missing"]:
        yield Finding(DOWN, f"{route['name']} does not exist, so no traffic is led to the pools.")
    elif not route["weights"]:
        yield Finding(UNKNOWN, f"Whether clients are served is not known, as {route['name']} could not be read.")
    elif not any(route["weights"].values()):
        yield Finding(DOWN, f"{route['name']} gives no pool any traffic.")
    elif release["live"] is None:
        yield Finding(ATTENTION, "Neither pool has a majority of the traffic, and no release is running.")
    for pool in POOLS:
        for title in status["pools"][pool]["missing"]:
            yield Finding(ATTENTION, f"{title} of pool {pool} does not exist.")
    for pool in with_traffic(status) if route["weights"] else ():
        endpoints = status["pools"][pool]["endpoints"]
        if endpoints is None:
            yield Finding(UNKNOWN, f"Whether clients are served is not known: endpoints of pool {pool} were not read.")
        elif not endpoints["ready"]:
            weight = route["weights"][pool]
            yield Finding(
                DOWN, f"Pool {pool} gets {weight} % of the traffic and has no ready endpoint.{_way_out(status, pool)}"
            )


def _way_out(status: Status, pool: str) -> str:
    """Return what to run when a pool is down and the other one is not, a sentence; empty when both are."""
    better = other(pool)
    endpoints = status["pools"][better]["endpoints"]
    if not endpoints or not endpoints["ready"]:
        return ""
    ready = endpoints["ready"]
    return f" Pool {better} has {ready} ready: rollback.yml -e mcp_rollback_pool={better} gives it the traffic."


def _broken_glass(status: Status) -> t.Iterator[Finding]:
    if status["broken_glass"]["sentence"]:
        yield Finding(DEGRADED, status["broken_glass"]["sentence"])


def _answers(status: Status) -> t.Iterator[Finding]:
    share = status["share"]
    requests, failed = share.get("requests") or 0, share.get("failed_requests") or 0
    if not share.get("msg"):
        return
    state = DOWN if requests and failed == requests else DEGRADED if failed else ATTENTION
    yield Finding(state, printable(str(share["msg"]), 4 * MAX_TEXT))


def _triggers(status: Status) -> t.Iterator[Finding]:
    for one in status["triggers"]:
        if one["verdict"] == BREACH:
            yield Finding(DEGRADED, f"Trigger {one['gate']} of pool {one['pool']}: {one['reason'] or 'breach'}.")


def _pods(status: Status) -> t.Iterator[Finding]:
    serving = [one for one in status["instances"] if one["pool"] in with_traffic(status)]
    for pool in POOLS:
        own = [one for one in serving if one["pool"] == pool and one["state"] != TERMINATING]
        failed = [one for one in own if one["finished"] and one["state"] not in ("Succeeded", "Completed")]
        own = [one for one in own if not one["finished"]]
        unready = [one for one in own if not one["ready"]]
        if unready:
            named = _named([f"{one['pod']} ({one['state']})" for one in unready])
            verb = "is" if len(unready) == 1 else "are"
            yield Finding(DEGRADED, f"{len(unready)} of {len(own)} pods of pool {pool} {verb} not ready: {named}.")
        elif pool in with_traffic(status):
            yield from _missing_pods(pool, status["pools"][pool])
        if failed:
            named = _named([f"{one['pod']} ({one['state']})" for one in failed])
            yield Finding(ATTENTION, f"Ended pods of pool {pool} that nobody removed: {named}.")
    restarted = [one for one in serving if _is_recent(one, status["at"])]
    if restarted:
        named = _named([f"{one['pod']} ({one['restart_reason'] or 'unknown reason'})" for one in restarted])
        yield Finding(ATTENTION, f"Restarted within the last hour: {named}.")
    full = [one for one in serving if _used(one, "memory_bytes", "memory_limit_bytes") >= FULL]
    if full:
        yield Finding(ATTENTION, f"Memory is at 90 % of its limit or more: {_named([one['pod'] for one in full])}.")


def _missing_pods(name: str, pool: t.Mapping[str, t.Any]) -> t.Iterator[Finding]:
    """Yield that a pool has fewer pods than it is to have: a quota or an admission webhook may refuse them."""
    ready, replicas = pool["ready"], pool["replicas"]
    if ready is not None and replicas is not None and ready < replicas:
        verb = "is" if replicas - ready == 1 else "are"
        yield Finding(
            DEGRADED, f"{replicas - ready} of {replicas} pods of pool {name} {verb} missing: diagnose.yml says why."
        )


def _is_recent(one: Instance, now: str) -> bool:
    at, read = _times.parse(one["restarted_at"]), _times.parse(now)
    return at is not None and read is not None and (read - at).total_seconds() < RECENT


def _used(one: Instance, used: str, limit: str) -> float:
    return float(one[used] / one[limit]) if one[used] is not None and one[limit] else 0.0


def _named(names: t.Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _bypassed(status: Status) -> t.Iterator[Finding]:
    known = [one for one in (status["release"]["record"], *status["release"]["history"]) if record.is_release(one)]
    if found := bypassed.standing(record.ReleaseRecord(known[0] if known else None, tuple(known[1:]))):
        yield Finding(ATTENTION, f"{found.sentence.rstrip('.')}.")


def _release(status: Status) -> t.Iterator[Finding]:
    newest, holder = status["release"]["record"], status["release"]["holder"]
    if not record.is_release(newest):
        return
    version = printable(summary.version(newest["to"]), MAX_TEXT)
    if reason := summary.paused(newest):
        yield Finding(ATTENTION, f"The release of {version} is paused: {printable(reason, MAX_TEXT)}")
    elif record.is_running(newest) and not holder and status["release"]["holder_known"]:
        yield Finding(DEGRADED, f"The release of {version} was interrupted: run it again, or roll back.")


def _last_drill(status: Status) -> t.Iterator[Finding]:
    """Yield what a server for drills misses; nothing for another one, or when it is not known."""
    last = status["last_drill"]
    if last is None:
        return
    at, now = _times.parse(last["at"]), _times.parse(status["at"])
    if at is None or now is None:
        yield Finding(ATTENTION, "No drill is noted for this server, which is there for drills: run drill.yml.")
    elif not last["passed"]:
        yield Finding(ATTENTION, f"The last drill, on {at:%Y-%m-%d}, failed: find out why, and run drill.yml again.")
    elif (now - at).days > QUARTER:
        yield Finding(
            ATTENTION, f"The last drill was on {at:%Y-%m-%d}, more than {QUARTER} days ago: run drill.yml again."
        )


def _last_guide(status: Status) -> t.Iterator[Finding]:
    """Yield what a server for validate_guide.yml misses; nothing for another one, or when it is not known."""
    last = status["last_guide"]
    if last is None:
        return
    at, now = _times.parse(last["at"]), _times.parse(status["at"])
    if at is None or now is None:
        yield Finding(
            ATTENTION, "The guide was never validated on this server, which is there for it: run validate_guide.yml."
        )
    elif (now - at).days > MONTH:
        yield Finding(
            ATTENTION,
            f"The guide was last validated on {at:%Y-%m-%d}, more than {MONTH} days ago: run validate_guide.yml again.",
        )
    elif last["failed"]:
        which = "1 heading" if last["failed"] == 1 else f"{last['failed']} headings"
        yield Finding(ATTENTION, f"{which} of the guide failed the last time: run validate_guide.yml, which says why.")
    if now and (warning := review_warning(document.REVIEWED, now.date())):
        yield Finding(ATTENTION, warning)
