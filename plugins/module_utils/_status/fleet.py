# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of several servers: one line each, the sick first. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._release import record, summary
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._status.instances import versions
from ansible_collections.mcp.server.plugins.module_utils._status.judge import STATES, UNKNOWN
from ansible_collections.mcp.server.plugins.module_utils._table import Row, table
from ansible_collections.mcp.server.plugins.module_utils._text import printable

DASH = "-"
MAX_FINDING = 90  # characters
MAX_NAMED = 10  # pods in one sentence


def sick_first(fleet: t.Iterable[t.Any]) -> list[t.Mapping[str, t.Any]]:
    """Return the servers of a fleet, each as {host, status}, the sick first, and then by name.

    Anything else in it is left out. A host without a status could not be read, which is worst.
    """
    known = [one for one in fleet if isinstance(one, dict) and one.get("host")]
    return sorted(known, key=lambda one: (STATES.index(_state(one)), str(one["host"])))


def _state(one: t.Mapping[str, t.Any]) -> str:
    found = mapping(one, "status").get("state")
    return found if found in STATES else UNKNOWN


def lines(fleet: t.Iterable[t.Any]) -> list[str]:
    """Return the table of a fleet, and a line that counts."""
    ordered = sick_first(fleet)
    counts = [f"{count} {state}" for state in STATES if (count := sum(_state(one) == state for one in ordered))]
    heading = ("SERVER", "STATE", "LIVE", "WEIGHT", "ENDPOINTS", "VERSION", "RELEASE", "FINDING")
    return [*table([heading, *map(_row, ordered)]), f"{len(ordered)} servers: {', '.join(counts) or 'none'}"]


def strangers(fleet: t.Iterable[t.Any], instances: t.Iterable[t.Any], selector: str) -> str:
    """Return a sentence about instances that no server of the fleet has; empty without any.

    selector: the labels by which they were found.
    """
    known = {
        (each.get("namespace"), each.get("pod")) for one in fleet for each in items(mapping(one, "status"), "instances")
    }
    names = sorted(
        printable(f"{one.get('namespace')}/{one.get('pod')}", 130)
        for one in instances
        if isinstance(one, dict) and (one.get("namespace"), one.get("pod")) not in known
    )
    if not names:
        return ""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    verb = "pod belongs" if len(names) == 1 else "pods belong"
    return (
        f"{len(names)} {verb} to no server of this inventory, by the labels {printable(selector, 100)}: "
        f"{', '.join(names[:MAX_NAMED])}{more}"
    )


def _row(one: t.Mapping[str, t.Any]) -> Row:
    status, host = mapping(one, "status"), str(one["host"])
    if "route" not in status:
        why = printable(str(status.get("msg") or "not read: the output above says why"), MAX_FINDING)
        return (host, UNKNOWN, DASH, DASH, DASH, DASH, DASH, why)
    release, weights = mapping(status, "release"), mapping(status, "route", "weights")
    live = release.get("live")
    serving = [pool for pool in POOLS if weights.get(pool)]
    endpoints = [mapping(status, "pools", pool, "endpoints") for pool in serving]
    known = [each for each in endpoints if each]
    findings = [*status.get("findings", []), *(f"not read: {one}" for one in status.get("unread", []))]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return (
        host,
        _state(one),
        str(live or DASH),
        "/".join(str(weights.get(pool, DASH)) for pool in POOLS) if weights else DASH,
        f"{sum(each['ready'] for each in known)} of {sum(each['total'] for each in known)}" if known else DASH,
        versions(one for one in items(status, "instances") if one.get("pool") in serving) or DASH,
        _release(release),
        printable(_first_sentence(str(findings[0])), MAX_FINDING - len(more)) + more if findings else DASH,
    )


def _first_sentence(text: str) -> str:
    first, end, _rest = text.partition(". ")
    return f"{first}." if end else text


def _release(release: t.Mapping[str, t.Any]) -> str:
    newest = release.get("record")
    if release.get("holder"):
        return f"in progress, by {printable(str(mapping(release, 'holder').get('by')), 30)}"
    return summary.outcome(newest) if record.is_release(newest) else DASH
