# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights on a Gateway API HTTPRoute, and whether its controllers took them."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Reference, Route, Split, Weighted, pool_of


class HTTPRoute(Weighted):
    title, group, version, resource = "HTTPRoute", "gateway.networking.k8s.io", "v1", "httproutes"
    backends = "the backendRefs of a rule"

    def splits(self, route: Route, server: Server) -> list[Split]:
        return self.shared(
            server,
            (
                (
                    f"rule {number}",
                    (
                        (_pool(backend, server), Reference(f"/spec/rules/{number}/backendRefs/{position}/weight", backend.get("weight", 1)))
                        for position, backend in enumerate(rule.get("backendRefs") or [])
                    ),
                )
                for number, rule in enumerate(route["spec"].get("rules") or [])
            ),
        )

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
                return f"{parent} has not reported {kind} for generation {route['metadata'].get('generation')}: see the gateway's controller"
            if condition["status"] != "True":
                return f"{parent} says {kind} is {condition['status']} ({condition.get('reason')}: {condition.get('message')})"
        return ""


KIND = HTTPRoute()


def _pool(backend: dict[str, t.Any], server: Server) -> str | None:
    is_service = backend.get("kind", "Service") == "Service" and not backend.get("group")
    if not is_service or backend.get("namespace", server.namespace) != server.namespace:
        return None
    return pool_of(backend["name"], server)


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
