# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on a Gateway API HTTPRoute, and whether its controllers took them.

Session affinity is made by rules that match ids that begin with a pool's name. Such a rule lists both pools: while
affinity is kept, the marked pool has all of its weight, and else its weights are those of the other rules.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._release import pools
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Kind,
    Lists,
    Reference,
    Route,
    Split,
    Weighted,
    both,
    pool_of,
    weight_of,
)

SESSION = "mcp-session-id"
CONDITIONS = ("Accepted", "ResolvedRefs")


class HTTPRoute(Weighted):
    title, group, version, resource = "HTTPRoute", "gateway.networking.k8s.io", "v1", "httproutes"
    backends = "the backendRefs of a rule that matches no session's mark"

    def __init__(self, keeps_affinity: bool = True) -> None:
        self.keeps_affinity = keeps_affinity

    def splits(self, route: Route, server: Server) -> list[Split]:
        """Return the splits of the rules that new sessions match: these determine the share."""
        return self.shared(server, _backends(route, server, None))

    def affinity_splits(self, route: Route, server: Server) -> list[tuple[Split, str]]:
        """Return the splits of the rules for marked sessions, each with the pool whose mark the rule matches."""
        return [(split, pool) for pool in POOLS for split in both(self.listed(server, _backends(route, server, pool)))]

    def has_affinity(self, route: Route, server: Server) -> bool:
        return {pool for _split, pool in self.affinity_splits(route, server)} == set(POOLS)

    def without_affinity(self) -> Kind:
        return HTTPRoute(keeps_affinity=False)

    def planned(self, route: Route, server: Server, wanted: Weights) -> list[tuple[Split, Weights]]:
        marked = [
            (split, pools.split(pool, 100) if self.keeps_affinity else wanted)
            for split, pool in self.affinity_splits(route, server)
        ]
        return [*marked, *super().planned(route, server, wanted)]

    def note(self, route: Route, server: Server) -> str:
        return "; sessions whose ids begin with a pool's name stay on it" if self.has_affinity(route, server) else ""

    def refused(self, route: Route, server: Server) -> str:
        for parent, kind, condition in _conditions(route):
            if _is_current(route, condition) and condition["status"] == "False":
                return f"{parent} says {kind} is False ({condition.get('reason')}: {condition.get('message')})"
        return ""

    def not_accepted(self, route: Route, server: Server) -> str:
        conditions = _conditions(route)
        if not conditions:
            return "it has no parentRefs: name its Gateway there"
        for parent, kind, condition in conditions:
            if not _is_current(route, condition):
                generation = route["metadata"].get("generation")
                return f"{parent} has not reported {kind} for generation {generation}: check the gateway's controller"
            if condition["status"] != "True":
                why = f"{condition.get('reason')}: {condition.get('message')}"
                return f"{parent} says {kind} is {condition['status']} ({why})"
        return ""


KIND: Kind = HTTPRoute()


def mark(rule: dict[str, t.Any]) -> str | None:
    """Return the pool whose marked sessions this rule is for: each of its matches requires an id with that mark."""
    marks = {_mark(match) for match in rule.get("matches") or []}
    return marks.pop() if len(marks) == 1 else None


def _mark(match: dict[str, t.Any]) -> str | None:
    for header in match.get("headers") or []:
        if header["name"].lower() == SESSION and header.get("type") == "RegularExpression":
            return next((pool for pool in POOLS if header["value"].startswith(f"^{pool}-")), None)
    return None


def _backends(route: Route, server: Server, marked: str | None) -> Lists:
    """Yield the backends of the rules for sessions with that pool's mark; with None, of the rules for all others."""
    for number, rule in enumerate(mapping(route, "spec").get("rules") or []):
        if mark(rule) == marked:
            backends = enumerate(rule.get("backendRefs") or [])
            places = [
                (_pool(backend, server), f"/spec/rules/{number}/backendRefs/{position}/weight", backend)
                for position, backend in backends
            ]
            yield (
                f"rule {number}",
                [(pool, Reference(place, weight_of(backend, 1))) for pool, place, backend in places],
            )


def _pool(backend: dict[str, t.Any], server: Server) -> str | None:
    is_service = backend.get("kind", "Service") == "Service" and not backend.get("group")
    if not is_service or backend.get("namespace", server.namespace) != server.namespace:
        return None
    return pool_of(backend["name"], server)


def _conditions(route: Route) -> list[tuple[str, str, dict[str, t.Any]]]:
    """Return (parent, kind, condition) for each condition that has to be true; one that is not reported is empty.

    Only of parents that the route still names: reports of removed ones, and of controllers that are gone, stay in the
    status. Of several controllers that report on one parent, one that accepted the route is enough.
    """
    reported: dict[tuple[t.Any, ...], list[dict[str, dict[str, t.Any]]]] = {}
    for parent in mapping(route, "status").get("parents") or []:
        conditions = {condition["type"]: condition for condition in parent.get("conditions") or []}
        reported.setdefault(_parent_key(route, parent["parentRef"]), []).append(conditions)

    def accepted(conditions: dict[str, dict[str, t.Any]]) -> tuple[int, int]:
        current = [conditions[kind] for kind in CONDITIONS if _is_current(route, conditions.get(kind, {}))]
        return sum(condition["status"] == "True" for condition in current), len(current)

    found = []
    for reference in mapping(route, "spec").get("parentRefs") or []:
        kind, namespace, name, *_rest = key = _parent_key(route, reference)
        best = max(reported.get(key, [{}]), key=accepted)
        found += [(f"{kind} {namespace}/{name}", condition, best.get(condition, {})) for condition in CONDITIONS]
    return found


def _parent_key(route: Route, reference: dict[str, t.Any]) -> tuple[t.Any, ...]:
    namespace = reference.get("namespace") or route["metadata"].get("namespace")
    kind, group = reference.get("kind", "Gateway"), reference.get("group", "gateway.networking.k8s.io")
    return (kind, namespace, reference["name"], group, reference.get("sectionName"), reference.get("port"))


def _is_current(route: Route, condition: dict[str, t.Any]) -> bool:
    observed = condition.get("observedGeneration")
    generation: int = route["metadata"].get("generation") or 0
    return (-1 if observed is None else observed) == generation
