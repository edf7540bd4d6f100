# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A diagnosis, as lines for people. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._diagnose.checks import Check
from ansible_collections.mcp.server.plugins.module_utils._diagnose.findings import Finding, Usage
from ansible_collections.mcp.server.plugins.module_utils._diagnose.sources import Sources
from ansible_collections.mcp.server.plugins.module_utils._status import quantities
from ansible_collections.mcp.server.plugins.module_utils._table import Row, table

MOST = 20  # rows of a table


def lines(
    title: str,
    sources: Sources,
    of_objects: t.Sequence[Finding],
    of_logs: t.Sequence[Finding],
    read: str,
    used: t.Sequence[Usage],
    checks: t.Sequence[Check],
    most_likely: str,
    contacts: t.Sequence[str],
) -> list[str]:
    """Return the lines of a diagnosis. read: which logs were read, a clause."""
    found = [title, *_pools(sources)]
    found += ["", *_objects(of_objects, sources.doubts)]
    found += ["", f"logs: {read}"]
    if of_logs:
        ordered = sorted(of_logs, key=lambda one: -one.count)[:MOST]
        heading, *rows = table([("PATTERN", "TIMES", "FIRST", "LAST", "WHERE"), *map(_log, ordered)])
        found.append(heading)
        for row, one in zip(rows, ordered, strict=True):
            found += [row, *(f"    {line}" for line in one.lines)]
    if used:
        shown = [("POD", "CONTAINER", "MEMORY", "CPU"), *(_usage(one) for one in used[:MOST])]
        found += ["", *table(shown)]
    if checks:
        found += ["", "checks made now:", *(f"  {check.line()}" for check in checks)]
    if sources.not_read:
        found += ["", "not read:", *(f"  {sentence}" for sentence in sources.not_read)]
    found += ["", most_likely]
    if contacts:
        found += ["", "Whom to call:", *(f"  {line}" for line in contacts)]
    return found


def _pools(sources: Sources) -> list[str]:
    rows = []
    for pool in sources.pods.keys() | sources.workloads.keys() | sources.ready.keys():
        weight = sources.weights.get(pool)
        ready = sources.ready.get(pool)
        wanted = (sources.workloads.get(pool) or {}).get("spec", {}).get("replicas")
        rows.append(
            (
                pool,
                "-" if weight is None else f"{weight} %",
                f"{'-' if ready is None else ready}/{'-' if wanted is None else wanted}",
                str(len(sources.pods.get(pool, []))),
            )
        )
    return table([("POOL", "WEIGHT", "READY", "PODS"), *sorted(rows)]) if rows else []


def _objects(found: t.Sequence[Finding], doubts: int) -> list[str]:
    if not found:
        return [f"objects: {'no problem found in what could be read' if doubts else 'nothing is wrong'}"]
    shown = [f"  {one.where}{one.pool and f' ({one.pool})'}: {one.said}" for one in found[:MOST]]
    return ["objects:", *shown, *([f"  and {len(found) - MOST} more"] if len(found) > MOST else [])]


def _log(one: Finding) -> Row:
    return one.cause, str(one.count), _times.clock(one.first), _times.clock(one.last), one.where


def _usage(one: Usage) -> Row:
    return (
        one.pod,
        one.container,
        quantities.memory(quantities.number(one.memory), quantities.number(one.memory_limit)),
        quantities.cpu(quantities.number(one.cpu), quantities.number(one.cpu_limit)),
    )
