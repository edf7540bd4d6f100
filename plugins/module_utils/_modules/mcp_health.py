# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_health: finds its targets, probes them side by side, and waits for them when it may."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions, listing, stability, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.calls import Call
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import Assertions
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task

SPEC = Spec(
    options={
        **targets.OPTIONS,
        "health": {"type": "list", "elements": "str", "default": ["status == 'HEALTHY'"]},
        "expect_version": {"type": "str"},
        "mcp": {"type": "bool", "default": True},
        "lists": {"type": "list", "elements": "str", "default": ["tools"], "choices": list(listing.KINDS)},
        "calls": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "tool": {"type": "str", "required": True},
                "arguments": {"type": "dict", "default": {}},
                "that": {"type": "list", "elements": "str", "default": []},
            },
        },
        "stability": stability.OPTION,
        "wait_timeout": {"type": "float", "default": 0.0},
    },
    **targets.RULES,
)

# Seconds between two rounds of a wait: quick at first, and no burden on a server that stays unwell.
PAUSES = (1.0, 2.0, 3.0, 5.0)


@lease_renewal.with_lease
def run(task: Task) -> dict[str, t.Any]:
    settings = settings_of(task.params)
    find = targets.finder(task.params)

    patience = Deadline(task.params["wait_timeout"])
    for pause in itertools.chain(PAUSES, itertools.repeat(PAUSES[-1])):
        waited = outage.current().seconds
        servers, complaint = _round(find, settings)
        evidence = {"healthy": complaint is None, "seconds": round(patience.elapsed, 3), "servers": servers}
        if complaint is None:
            return {"changed": False, **evidence}
        # A round in which the API server was away tells nothing of the pods
        if not patience.left and outage.current().seconds == waited:
            raise Failure(complaint, **evidence)
        task.progress(f"{complaint} Trying again for {patience.left:.0f} s.")
        patience.pause(pause)
    raise AssertionError("unreachable")


def settings_of(params: dict[str, t.Any]) -> Settings:
    """Raises Failure when they make no sense, or the token is not to be had."""
    asked = [Call(**call) for call in params["calls"]]
    rounds = stability.Rounds(**params["stability"]) if params["stability"] else None
    if rounds and rounds.rounds < 1:
        raise Failure("stability.rounds has to be 1 or more.")
    expect_401 = bool(params["auth"] and params["auth"]["expect_401"])
    if expect_401 and (asked or rounds or not params["mcp"]):
        raise Failure("auth.expect_401 asks a server that lets nobody in: leave out calls, stability and mcp=false.")
    if not params["mcp"] and (asked or rounds):
        raise Failure("calls and stability need MCP: leave out mcp=false.")
    targets.check_times(params)
    expressions.check("health", params["health"])
    for call in asked:
        expressions.check(f"calls (tool {call.tool})", call.that)
    return Settings(
        assertions=Assertions(params["health"], params["expect_version"]),
        era=params["era"] if params["mcp"] else None,
        timeout=params["timeout"],
        step_timeout=params["step_timeout"],
        lists=params["lists"],
        calls=asked,
        stability=rounds,
        token=None if expect_401 else targets.token(params),
        expect_401=expect_401,
    )


def _round(find: t.Callable[[], list[Endpoint]], settings: Settings) -> tuple[list[dict[str, t.Any]], str | None]:
    """A result for each server, and what is wrong."""
    try:
        endpoints = find()
    except targets.NoneReady as failure:
        return [], failure.msg
    servers = targets.at_once(lambda one: probe(one, settings), endpoints)
    return servers, complaint(servers)


def complaint(servers: t.Sequence[dict[str, t.Any]]) -> str | None:
    """One sentence about the unhealthy ones of them."""
    unwell = [server for server in servers if not server["healthy"]]
    reasons = [f"{server['target']} is not healthy: {server['reason'].rstrip('.')}" for server in unwell]
    if not reasons:
        return None
    return (f"{len(unwell)} of {len(servers)} servers: " if len(servers) > 1 else "") + "; ".join(reasons) + "."
