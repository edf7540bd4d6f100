# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases as text, for announcements and reports. Pure.

All functions but readable() take a release that readable() returned.
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
    Side,
    Step,
)
from ansible_collections.mcp.server.plugins.module_utils._text import verdict_text

PAUSED = "paused"

OUTCOMES = {SUCCEEDED: "succeeded", ROLLED_BACK: "rolled back", FAILED: "failed", PAUSED: "paused", RUNNING: "running"}


def readable(release: Release) -> Release:
    """Return the release without values of a wrong type: anybody may have edited the record."""
    steps: list[Step] = [
        {**step, "weights": _dict(step.get("weights")), "share": _dict(step.get("share"))}
        for step in release["steps"]
        if isinstance(step, dict)
    ]
    origin: Side = {**release["from"], "weights": _dict(release["from"].get("weights"))}
    return {**release, "steps": steps, "from": origin}


def _dict(found: t.Any) -> dict[str, t.Any]:
    return found if isinstance(found, dict) else {}


def outcome(release: Release) -> str:
    return OUTCOMES[PAUSED] if paused(release) else OUTCOMES.get(release["outcome"], release["outcome"])


def paused(release: Release) -> str:
    """Return why it waits to be run again; empty when it does not."""
    return str(_dict(release.get("paused")).get("reason") or "") if release["outcome"] == RUNNING else ""


def version(side: Side) -> str:
    """Return the version of a side of a release, for people."""
    return side.get("version") or side.get("image_ref") or f"the version of pool {side['pool']}"


def headline(release: Release, place: str) -> str:
    """Return what happened as one line. place: the server, as NAMESPACE/NAME."""
    new, old = version(release["to"]), version(release["from"])
    headlines = {
        SUCCEEDED: f"{new} is released, {old} was live before",
        ROLLED_BACK: f"{new} was rolled back to {old}",
        FAILED: f"the release of {new} failed",
        PAUSED: f"the release of {new} is paused at {weights(release)}",
        RUNNING: f"the release of {new} is running, {weights(release)}",
    }
    ending = f"the release of {new} ended as {outcome(release)}"
    return f"{place}: {headlines.get(PAUSED if paused(release) else release['outcome'], ending)}"


def last_weights(release: Release) -> dict[str, int]:
    """Return the percent of each pool after the last step; empty when the record does not say."""
    steps = release["steps"]
    return (steps[-1] if steps else release["from"])["weights"]


# What told which pool an answer was from, see _traffic/naming.py
BY = {
    "header": " by header",
    "health": " by the health document",
    "counters": " by the gateway's counters",
    "server_info": " by serverInfo",
}


def weights(release: Release) -> str:
    return percents(last_weights(release)) or "weights unknown"


def percents(of_pools: dict[str, t.Any]) -> str:
    return ", ".join(f"{pool} {percent} %" for pool, percent in of_pools.items())


def step(one: Step, pool: str) -> str:
    """Return a step as a line. pool: the one that the release goes to."""
    share = one["share"] or {}
    percent = share.get(pool)
    measured = "not measured" if percent is None else f"measured {percent} % of {share.get('requests', 0)} answers"
    measured += BY.get(str(share.get("measured_by")), "") if percent is not None else ""
    failed = f", {share['failed']} failed" if share.get("failed") else ""
    verdict = verdict_text(str(one.get("verdict") or "no verdict"))
    return f"{_times.clock(one.get('at'))} {pool} {one['weights'].get(pool, '?')} %: {measured}{failed}, {verdict}"


def seconds(release: Release) -> float | None:
    """Return how many seconds it took; None while it runs."""
    started, ended = _times.parse(release.get("started")), _times.parse(release.get("ended"))
    return round((ended - started).total_seconds(), 3) if started and ended else None


def stats(release: Release) -> dict[str, t.Any]:
    """Return what a job that follows needs to know (set_stats, which AWX passes on)."""
    return {
        "id": release["id"],
        "outcome": release["outcome"],
        "reason": release["reason"],
        **{f"{end}_{key}": release[end].get(key) for end in ("from", "to") for key in ("pool", "version")},
        "weights": last_weights(release),
    }
