# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release in words, for announcements and reports: what is said of it is said here, once. Pure.

A release is one that went through readable().
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._release.record import (
    FAILED,
    ROLLED_BACK,
    RUNNING,
    SUCCEEDED,
    Release,
)
from ansible_collections.mcp.server.plugins.module_utils._text import verdict_text

PAUSED = "paused"

OUTCOMES = {SUCCEEDED: "succeeded", ROLLED_BACK: "rolled back", FAILED: "failed", PAUSED: "paused", RUNNING: "running"}


def readable(release: Release) -> Release:
    """With nothing in it that can't be read as what it should be: anybody may have edited the record."""
    steps = [
        {**step, "weights": _dict(step.get("weights")), "share": _dict(step.get("share"))}
        for step in release["steps"]
        if isinstance(step, dict)
    ]
    return {**release, "steps": steps, "from": {**release["from"], "weights": _dict(release["from"].get("weights"))}}


def _dict(found: t.Any) -> dict[str, t.Any]:
    return found if isinstance(found, dict) else {}


def outcome(release: Release) -> str:
    return OUTCOMES[PAUSED] if paused(release) else OUTCOMES.get(release["outcome"], release["outcome"])


def paused(release: Release) -> str:
    """Why it waits to be run again; empty when it does not."""
    return str(_dict(release.get("paused")).get("reason") or "") if release["outcome"] == RUNNING else ""


def version(end: dict[str, t.Any]) -> str:
    """Of a release's from or to."""
    return end.get("version") or end.get("image_ref") or f"what pool {end['pool']} runs"


def headline(release: Release, place: str) -> str:
    """What happened, in one line. place: the server, as NAMESPACE/NAME."""
    new, old = version(release["to"]), version(release["from"])
    said = {
        SUCCEEDED: f"{new} is released, {old} was live before",
        ROLLED_BACK: f"{new} was rolled back to {old}",
        FAILED: f"the release of {new} failed",
        PAUSED: f"the release of {new} is paused at {weights(release)}",
        RUNNING: f"the release of {new} is running, {weights(release)}",
    }
    return f"{place}: {said.get(release['outcome'], f'the release of {new} ended as {outcome(release)}')}"


def last_weights(release: Release) -> dict[str, int]:
    """Percent of each pool after the last step; empty when the record doesn't tell."""
    steps = release["steps"]
    return (steps[-1] if steps else release["from"])["weights"]


def weights(release: Release) -> str:
    return percents(last_weights(release)) or "weights unknown"


def percents(of_pools: dict[str, t.Any]) -> str:
    return ", ".join(f"{pool} {percent} %" for pool, percent in of_pools.items())


def step(one: dict[str, t.Any], pool: str) -> str:
    """A step as a line. pool: the one that the release goes to."""
    share = one["share"]
    measured = share.get(pool)
    said = "not measured" if measured is None else f"measured {measured} % of {share.get('requests', 0)} answers"
    failed = f", {share['failed']} failed" if share.get("failed") else ""
    return f"{_times.clock(one.get('at'))} {pool} {one['weights'].get(pool, '?')} %: {said}{failed}, {verdict_text(str(one.get('verdict') or 'no verdict'))}"


def seconds(release: Release) -> float | None:
    """How long it took; None while it goes on."""
    started, ended = _times.parse(release.get("started")), _times.parse(release.get("ended"))
    return round((ended - started).total_seconds(), 3) if started and ended else None


def stats(release: Release) -> dict[str, t.Any]:
    """What a job that comes after this one needs (set_stats, which AWX hands on)."""
    return {
        "id": release["id"],
        "outcome": release["outcome"],
        "reason": release["reason"],
        **{f"{end}_{key}": release[end].get(key) for end in ("from", "to") for key in ("pool", "version")},
        "weights": last_weights(release),
    }
