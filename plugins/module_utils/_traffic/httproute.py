# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on a Gateway API HTTPRoute: read, patch, and whether the controller took them. Pure functions on the object."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster.server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

Weights = dict[str, int]


def _references(route: dict[str, t.Any], server: Server) -> list[dict[str, tuple[int, int, int]]]:
    """Per rule that lists both pools: pool to (rule, position, weight). Rules that list neither are not ours.

    Raises Failure when a rule lists one pool only, or no rule lists them.
    """
    found = []
    for rule_index, rule in enumerate(route["spec"].get("rules") or []):
        named = {reference["name"]: (index, reference.get("weight", 1)) for index, reference in enumerate(rule.get("backendRefs") or [])}
        pools = {pool: (rule_index, *named[server.service(pool)]) for pool in POOLS if server.service(pool) in named}
        if len(pools) == 1:
            (missing,) = set(POOLS) - set(pools)
            raise Failure(
                f"HTTPRoute {server.namespace}/{server.route} lists only one pool in rule {rule_index}: "
                f"add Service {server.service(missing)} to its backendRefs, with weight 0."
            )
        if pools:
            found.append(pools)
    if not found:
        both = " and ".join(server.service(pool) for pool in POOLS)
        raise Failure(f"HTTPRoute {server.namespace}/{server.route} lists neither pool: add Services {both} to a rule's backendRefs.")
    return found


def weights(route: dict[str, t.Any], server: Server) -> Weights:
    """Percent of each pool, by the first rule that lists them (a missing weight is 1, as the Gateway API says)."""
    first = _references(route, server)[0]
    total = sum(weight for _rule, _position, weight in first.values())
    if not total:
        raise Failure(f"HTTPRoute {server.namespace}/{server.route} gives weight to no pool: give one of them 100.")
    blue = round(100 * first["blue"][2] / total)
    return {"blue": blue, "green": 100 - blue}


def patch(route: dict[str, t.Any], server: Server, wanted: Weights) -> list[dict[str, t.Any]]:
    """A JSON patch that sets our weights and no other field; it fails if the references moved meanwhile. Empty: nothing to do."""
    tests, changes = [], []
    for pools in _references(route, server):
        for pool, (rule, position, weight) in pools.items():
            place = f"/spec/rules/{rule}/backendRefs/{position}"
            if weight != wanted[pool]:
                tests.append({"op": "test", "path": f"{place}/name", "value": server.service(pool)})
                changes.append({"op": "add", "path": f"{place}/weight", "value": wanted[pool]})
    return tests + changes


def not_accepted(route: dict[str, t.Any]) -> str:
    """Why the route is not in force at its present generation; empty when it is."""
    parents = route.get("status", {}).get("parents") or []
    if not parents:
        return "no gateway has taken it: check its parentRefs and the gateway's controller"
    for parent in parents:
        conditions = {condition["type"]: condition for condition in parent.get("conditions") or []}
        for kind in ("Accepted", "ResolvedRefs"):
            condition = conditions.get(kind, {})
            if condition.get("status") != "True":
                return f"{kind} is {condition.get('status', 'not known')} ({condition.get('message', 'no reason given')})"
            if condition.get("observedGeneration", 0) < route["metadata"]["generation"]:
                return "the gateway's controller has not seen the last change yet"
    return ""


def live(weights_now: Weights) -> str:
    """The pool that has the traffic: most of it, during a shift."""
    return max(POOLS, key=lambda pool: weights_now[pool])
