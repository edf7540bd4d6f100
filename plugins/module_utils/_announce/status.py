# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of a server, as lines. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._release import record, summary
from ansible_collections.mcp.server.plugins.module_utils._text import one_line, printable

Row = t.Sequence[str]

SHOWN_DIGEST = 19  # characters, with sha256:
MAX_REASON = 70  # characters; a terminal wraps longer lines anywhere
MAX_CELL = 100  # characters; image references may be long


def lines(release: dict[str, t.Any], pools: dict[str, t.Any], answers: dict[str, t.Any], count: int) -> list[str]:
    """Return the lines of a status.

    release, pools, answers: as mcp_release_info, mcp_version_check (pools) and mcp_watch return them; answers may be of
    a task that was skipped. count: how many releases to show.
    """
    holder = release.get("holder")
    known = [one for one in (release.get("record"), *release.get("history", ())) if record.is_release(one)][:count]
    return [
        *_table(
            [
                ("POOL", "WEIGHT", "ANSWERS", "READY", "VERSION", "IMAGE"),
                *(_pool(name, release, pool, answers) for name, pool in pools.items()),
            ]
        ),
        *(
            [one_line(answers["msg"])]
            if answers.get("msg")
            else [f"of {answers['requests']} answers"]
            if answers.get("requests")
            else []
        ),
        "",
        *_table(
            [("POD", "READY", "VERSION", "DIGEST"), *(_pod(pod) for pool in pools.values() for pod in pool["pods"])]
        ),
        "",
        f"release in progress, by {printable(holder['by'], MAX_CELL)} since {_times.day(holder['since'])}"
        if holder
        else "no release in progress",
        "",
        *(_releases(known) if known else ["no release recorded"]),
    ]


def _pool(name: str, release: dict[str, t.Any], pool: dict[str, t.Any], answers: dict[str, t.Any]) -> Row:
    versions = sorted({pod["health_version"] for pod in pool["pods"] if pod["health_version"]})
    share = answers.get(name)
    name_of_image, at, digest = pool["image_ref"].partition("@")
    return (
        f"{name}{' (live)' if name == release['live'] else ''}",
        f"{release['weights'][name]} %",
        "-" if share is None else f"{share} %",
        f"{pool['ready']}/{pool['replicas']}",
        ", ".join(versions) or "-",
        f"{name_of_image}{at}{digest[:SHOWN_DIGEST]}",
    )


def _pod(pod: dict[str, t.Any]) -> Row:
    version = pod["health_version"] or pod["problem"] or "-"
    return pod["name"], "yes" if pod["ready"] else "no", version, (pod["digest"] or "-")[:SHOWN_DIGEST]


def _releases(known: t.Sequence[record.Release]) -> t.Iterator[str]:
    """Yield a line for each release, and another one for the reason that it has."""
    rows = [
        (
            _times.day(one.get("started")),
            summary.version(one["to"]),
            one["to"]["pool"],
            summary.outcome(one),
            str(one.get("by") or "-"),
        )
        for one in known
    ]
    heading, *shown = _table([("STARTED", "VERSION", "POOL", "OUTCOME", "BY"), *rows])
    yield heading
    for line, one in zip(shown, known, strict=True):
        yield line
        if reason := printable(summary.paused(one) or one["reason"], MAX_REASON):
            yield f"    {reason}"


def _table(rows: t.Sequence[Row]) -> list[str]:
    """Return aligned lines. Servers, and whoever edits objects, choose the text of cells."""
    rows = [[printable(cell, MAX_CELL) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
