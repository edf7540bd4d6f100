# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_health: find the servers, probe them in parallel, and wait until they are healthy."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions, hosts, listing, stability, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.calls import Call
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task

SPEC = Spec(
    options={
        **targets.OPTIONS,
        "expect_version": {"type": "str"},
        "compare_version": {**_versions.COMPARE, "default": None},
        "mcp": {"type": "bool", "default": True},
        "ping": {"type": "bool", "default": False},
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

# Seconds between two rounds of a wait: short at first, and no burden on a server that stays unhealthy.
PAUSES = (1.0, 2.0, 3.0, 5.0)


@lease_renewal.with_lease
def run(task: Task) -> dict[str, t.Any]:
    settings = settings_of(task.params)
    find = targets.finder(task.params)

    limit = Deadline(task.params["wait_timeout"])
    for pause in itertools.chain(PAUSES, itertools.repeat(PAUSES[-1])):
        waited = outage.current().seconds
        servers, failure = _round(find, settings)
        for note in hosts.news():
            task.progress(note)
        evidence = {
            "healthy": failure is None,
            "seconds": round(limit.elapsed, 3),
            "servers": servers,
            "host_notes": hosts.notes(),
        }
        if failure is None:
            return {"changed": False, **evidence}
        # A round in which the API server was unreachable tells nothing about the pods.
        if not limit.left and outage.current().seconds == waited:
            raise Failure(failure, **evidence)
        task.progress(f"{failure} Still trying, {limit.left:.0f} s left.")
        limit.pause(pause)
    raise AssertionError("unreachable")


def settings_of(params: dict[str, t.Any]) -> Settings:
    """Return what to probe. Raise Failure when options contradict each other, or there is no token."""
    smoke_calls = [Call(**call) for call in params["calls"]]
    rounds = stability.Rounds(**params["stability"]) if params["stability"] else None
    if rounds and rounds.rounds < 1:
        raise Failure("stability.rounds must be at least 1.")
    expect_401 = bool(params["auth"] and params["auth"]["expect_401"])
    if expect_401 and (smoke_calls or rounds or not params["mcp"]):
        raise Failure("auth.expect_401 checks a server without a token: remove calls, stability and mcp=false.")
    if not params["mcp"] and (smoke_calls or rounds):
        raise Failure("calls and stability need MCP: remove mcp=false.")
    if not (params["mcp"] or params["health_path"]):
        raise Failure("mcp is false and health_path is not set, so there is nothing to check: set one of them.")
    if problem := _versions.compare_problem(params):
        raise Failure(problem)
    if _versions.SERVER_INFO in (params["compare_version"] or []) and not params["mcp"]:
        raise Failure("compare_version has server_info, which is read by MCP: remove mcp=false, or server_info.")
    targets.check_times(params)
    for call in smoke_calls:
        expressions.check(f"calls (tool {call.tool})", call.that)
    return Settings(
        era=params["era"] if params["mcp"] else None,
        timeout=params["timeout"],
        step_timeout=params["step_timeout"],
        health=True,
        expect_version=None if params["compare_version"] == [] else params["expect_version"],
        compared=params["compare_version"],
        lists=params["lists"],
        calls=smoke_calls,
        stability=rounds,
        ping=params["ping"],
        credentials=credentials.NONE if expect_401 else targets.credentials_of(params),
        expect_401=expect_401,
    )


def _round(find: t.Callable[[], list[Endpoint]], settings: Settings) -> tuple[list[dict[str, t.Any]], str | None]:
    """Return a result for each server, and the sentence of the failure, or None."""
    try:
        endpoints = find()
    except targets.NoneReady as failure:
        return [], failure.msg
    servers = targets.in_parallel(lambda one: probe(one, settings), endpoints)
    return servers, failure_sentence(servers)


def failure_sentence(servers: t.Sequence[dict[str, t.Any]]) -> str | None:
    """Return one sentence about the unhealthy servers, or None when all are healthy."""
    unhealthy = [server for server in servers if not server["healthy"]]
    if not unhealthy:
        return None
    reasons = [f"{server['target']} is not healthy: {server['reason'].rstrip('.')}" for server in unhealthy]
    count = f"{len(unhealthy)} of {len(servers)} servers failed: " if len(servers) > 1 else ""
    return f"{count}{'; '.join(reasons)}."
