# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on a Gateway API HTTPRoute: read, patch, and whether its controllers took them. Pure functions on the object."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster.server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

Route = dict[str, t.Any]


class Reference(t.NamedTuple):
    place: str  # JSON pointer
    weight: int


def weights(route: Route, server: Server) -> Weights:
    """Percent of each pool, the mean where rules differ; a pool has 0 or 100 only when that is exact. No weight at all: 0 and 0.

    Raises Failure when the route does not list both pools.
    """
    splits = [(rule["blue"].weight, rule["green"].weight) for rule in _shared_rules(route, server)]
    parts = [100 * blue / (blue + green) for blue, green in splits if blue + green]
    if not parts:
        return dict.fromkeys(POOLS, 0)
    exact = sum(parts) / len(parts)
    blue = int(exact) if exact in (0, 100) else min(99, max(1, round(exact)))
    return {"blue": blue, "green": 100 - blue}


def patch(route: Route, server: Server, wanted: Weights) -> list[dict[str, t.Any]]:
    """A JSON patch that sets the pools' weights and no other field; empty when every shared rule has that split already."""
    changes = [
        {"op": "add", "path": f"{rule[pool].place}/weight", "value": wanted[pool]}
        for rule in _shared_rules(route, server)
        if not _is_split(rule["blue"].weight, rule["green"].weight, wanted)
        for pool in POOLS
    ]
    # Replacing the version by itself makes a change by somebody else a 409; after a failed test operation
    # the API server answers 422, which says nothing.
    unchanged = {"op": "replace", "path": "/metadata/resourceVersion", "value": route["metadata"]["resourceVersion"]}
    return [unchanged, *changes] if changes else []


def refused(route: Route) -> str:
    """Why a controller will not have the route as it is now; empty when none said so."""
    for parent, kind, condition in _conditions(route):
        if _is_current(route, condition) and condition["status"] == "False":
            return f"{parent} says {kind} is False ({condition.get('reason')}: {condition.get('message')})"
    return ""


def not_accepted(route: Route) -> str:
    """Why the route is not in force at its present generation; empty when it is."""
    conditions = _conditions(route)
    if not conditions:
        return "it has no parentRefs: name its Gateway there"
    for parent, kind, condition in conditions:
        if not _is_current(route, condition):
            return f"{parent} has not reported {kind} for generation {route['metadata'].get('generation')}: see the gateway's controller"
        if condition["status"] != "True":
            return f"{parent} says {kind} is {condition['status']} ({condition.get('reason')}: {condition.get('message')})"
    return ""


def _shared_rules(route: Route, server: Server) -> list[dict[str, Reference]]:
    """The rules that list both pools. Others (a session pinned to one pool, another path) are not ours.

    Raises Failure when there is none.
    """
    name = f"HTTPRoute {server.namespace}/{server.route}"
    shared, seen = [], set()
    for number, rule in enumerate(route["spec"].get("rules") or []):
        found: dict[str, Reference] = {}
        for position, backend in enumerate(rule.get("backendRefs") or []):
            pool = _pool(backend, server)
            if pool is None:
                continue
            if pool in found:
                raise Failure(f"{name} lists Service {server.service(pool)} twice in rule {number}: list it once, so that its weight has one place.")
            found[pool] = Reference(f"/spec/rules/{number}/backendRefs/{position}", backend.get("weight", 1))
        seen |= found.keys()
        if len(found) == len(POOLS):
            shared.append(found)
    if not shared:
        missing = [server.service(pool) for pool in POOLS if pool not in seen] or [server.service(pool) for pool in POOLS]
        where = "beside the other pool's Service" if len(missing) == 1 else "together"
        raise Failure(
            f"{name} has no rule that lists both pools of {server}: add Service {' and Service '.join(missing)} {where} "
            "to the backendRefs of a rule, the idle one with weight 0."
        )
    return shared


def _pool(backend: dict[str, t.Any], server: Server) -> str | None:
    is_service = backend.get("kind", "Service") == "Service" and not backend.get("group")
    if not is_service or backend.get("namespace", server.namespace) != server.namespace:
        return None
    return next((pool for pool in POOLS if backend["name"] == server.service(pool)), None)


def _is_split(blue: int, green: int, wanted: Weights) -> bool:
    return blue + green > 0 and blue * wanted["green"] == green * wanted["blue"]


def _conditions(route: Route) -> list[tuple[str, str, dict[str, t.Any]]]:
    """(parent, kind, condition) of what has to be true; a condition that is not reported is empty.

    Only parents that the route still names: what a removed one said stays in the status.
    """
    reported = {_parent_key(route, parent["parentRef"]): parent for parent in route.get("status", {}).get("parents") or []}
    found = []
    for reference in route["spec"].get("parentRefs") or []:
        namespace, name, *_rest = key = _parent_key(route, reference)
        conditions = {condition["type"]: condition for condition in reported.get(key, {}).get("conditions") or []}
        for kind in ("Accepted", "ResolvedRefs"):
            found.append((f"{reference.get('kind', 'Gateway')} {namespace}/{name}", kind, conditions.get(kind, {})))
    return found


def _parent_key(route: Route, reference: dict[str, t.Any]) -> tuple[t.Any, ...]:
    namespace = reference.get("namespace") or route["metadata"].get("namespace")
    return (namespace, reference["name"], reference.get("sectionName"), reference.get("port"))


def _is_current(route: Route, condition: dict[str, t.Any]) -> bool:
    return condition.get("observedGeneration", -1) == route["metadata"].get("generation", 0)
