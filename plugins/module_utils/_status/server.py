# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of one server, as lines. Pure. A status is what mcp_status_info returns."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import PASS
from ansible_collections.mcp.server.plugins.module_utils._release import record, summary
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._status import quantities
from ansible_collections.mcp.server.plugins.module_utils._status.instances import Instance, versions
from ansible_collections.mcp.server.plugins.module_utils._status.judge import Status
from ansible_collections.mcp.server.plugins.module_utils._table import MAX_CELL, Row, table
from ansible_collections.mcp.server.plugins.module_utils._text import one_line, printable, verdict_text

SHOWN_DIGEST = 19  # characters, with sha256:
MAX_REASON = 70  # characters; a terminal wraps longer lines anywhere
DASH = "-"


def lines(status: Status, count: int) -> list[str]:
    """Return the lines of a status. count: how many releases to show."""
    release = status["release"]
    known = [one for one in (release["record"], *release["history"]) if record.is_release(one)][:count]
    shown = [
        f"{status['server']}: {status['state']}",
        *(f"  {sentence}" for sentence in status["findings"]),
        *(f"  not read: {sentence}" for sentence in status["unread"]),
        "",
        status["route"]["name"],
        *table(
            [
                ("POOL", "WEIGHT", "ANSWERS", "ENDPOINTS", "READY", "SESSIONS", "VERSION", "IMAGE"),
                *(_pool(name, status) for name in POOLS),
            ]
        ),
        *([f"of {status['share']['requests']} answers"] if status["share"].get("requests") else []),
        "",
        *instances(status["instances"]),
        "",
        *_triggers(status["triggers"]),
        holder(release),
        "",
        *(_releases(known) if known else ["no release recorded" if release["record_known"] else f"releases: {DASH}"]),
        *_last_drill(status["last_drill"]),
        *_last_guide(status["last_guide"]),
    ]
    return [one_line(line) for line in shown]


def holder(release: t.Mapping[str, t.Any]) -> str:
    """Return who releases now, a line."""
    if not release["holder_known"]:
        return f"release in progress: {DASH}"
    found = release["holder"]
    if not found:
        return "no release in progress"
    return f"release in progress, by {printable(found['by'], MAX_CELL)} since {_times.day(found['since'])}"


def _last_drill(found: t.Mapping[str, t.Any] | None) -> list[str]:
    """Return when the last drill of a server for drills was, a line; none for another server, or without a drill."""
    if not found or not found["at"]:
        return []
    return [f"last drill: {_times.day(found['at'])}, {'passed' if found['passed'] else 'failed'}"]


def _last_guide(found: t.Mapping[str, t.Any] | None) -> list[str]:
    """Return when the guide was last validated on a server for that, a line; none for another server, or without it."""
    if not found or not found["at"]:
        return []
    return [f"guide last validated: {_times.day(found['at'])}, {found['failed']} failed"]


def _text(value: t.Any, unit: str = "") -> str:
    return DASH if value is None else f"{value}{unit}"


def _pool(name: str, status: Status) -> Row:
    pool, weights = status["pools"][name], status["route"]["weights"] or {}
    image, at, digest = (pool["image_ref"] or DASH).partition("@")
    endpoints = pool["endpoints"]
    return (
        f"{name}{' (live)' if name == status['release']['live'] else ''}",
        _text(weights.get(name), " %"),
        _text(status["share"].get(name), " %"),
        f"{endpoints['ready']} of {endpoints['total']}" if endpoints else DASH,
        DASH if pool["ready"] is None else f"{pool['ready']}/{_text(pool['replicas'])}",
        _text(pool["sessions"]),
        versions(one for one in status["instances"] if one["pool"] == name) or DASH,
        f"{image}{at}{digest[:SHOWN_DIGEST]}",
    )


def instances(found: t.Sequence[Instance]) -> list[str]:
    """Return a line for each instance. Columns of which nothing is known, and nobody misses, are left out."""
    columns: list[tuple[str, t.Callable[[Instance], str], bool]] = [
        ("POD", lambda one: one["pod"], True),
        ("POOL", lambda one: _text(one["pool"]), True),
        ("STATE", state, True),
        ("VERSION", lambda one: one["health_version"] or one["version"] or DASH, True),
        ("DIGEST", lambda one: (one["digest"] or DASH)[:SHOWN_DIGEST], True),
        ("RESTARTS", restarts, True),
        ("AGE", lambda one: age(one["age_seconds"]), True),
        ("MEMORY", lambda one: quantities.memory(one["memory_bytes"], one["memory_limit_bytes"]), True),
        ("CPU", lambda one: quantities.cpu(one["cpu_cores"], one["cpu_limit_cores"]), True),
        ("SESSIONS", lambda one: _text(one["sessions"]), any(one["sessions"] is not None for one in found)),
        (
            "INSTANCE",
            lambda one: _text(one["instance_id"]),
            any(one["instance_id"] not in (None, one["pod"]) for one in found),
        ),
        ("NODE", lambda one: _text(one["node"]), True),
    ]
    wanted = [(title, cell) for title, cell, shown in columns if shown]
    return table([[title for title, _cell in wanted], *([cell(one) for _title, cell in wanted] for one in found)])


def state(one: Instance) -> str:
    if one["ready"]:
        return "ready"
    return "not ready" if one["state"] == "Running" else str(one["state"])


def restarts(one: Instance) -> str:
    """Return how often it was restarted, and why the last time."""
    if not one["restarts"]:
        return "0"
    return f"{one['restarts']} ({one['restart_reason']})" if one["restart_reason"] else str(one["restarts"])


def age(seconds: float | None) -> str:
    """Return an age in one unit or two, as kubectl does: 45s, 12m, 5h, 3d."""
    if seconds is None:
        return DASH
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f}{unit}"
    return f"{seconds:.0f}s"


def _triggers(found: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    """Yield a line for each pool whose triggers were judged: how many pass, and which do not."""
    for pool in POOLS:
        own = [one for one in found if one["pool"] == pool]
        others = [f"{one['gate']} {verdict_text(one['verdict'])}" for one in own if one["verdict"] != PASS]
        if own:
            counted = f"triggers of pool {pool}: {len(own) - len(others)} of {len(own)} pass"
            yield f"{counted}; {', '.join(others)}" if others else counted


def _releases(known: t.Sequence[record.Release]) -> t.Iterator[str]:
    """Yield a line for each release, and another one for the reason that it has."""
    rows = [
        (
            _times.day(one.get("started")),
            summary.version(one["to"]),
            one["to"]["pool"],
            summary.outcome(one),
            str(one.get("by") or DASH),
        )
        for one in known
    ]
    heading, *shown = table([("STARTED", "VERSION", "POOL", "OUTCOME", "BY"), *rows])
    yield heading
    for line, one in zip(shown, known, strict=True):
        yield line
        if reason := printable(summary.paused(one) or one["reason"], MAX_REASON):
            yield f"    {reason}"
